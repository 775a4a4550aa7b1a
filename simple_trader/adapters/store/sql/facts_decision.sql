-- One decision with everything that led to it and came of it.
SELECT * FROM v_decision_audit WHERE decision_id = $1
