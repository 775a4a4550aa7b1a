-- A new epoch: above every earlier one, and above those a restored backup forgot ($1: boot seconds).
INSERT INTO writer_epoch (epoch, last_seq) VALUES ($1, 0)
ON CONFLICT (one) DO UPDATE
SET epoch = greatest(writer_epoch.epoch + 1, excluded.epoch), recorded_at = now()
RETURNING epoch, last_seq
