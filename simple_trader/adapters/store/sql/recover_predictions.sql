-- Predictions whose outcome is not known yet.
SELECT * FROM model_predictions WHERE outcome IS NULL ORDER BY made_at, prediction_id
