-- How often each hundredth of confidence turned out right: what calibration is made of.
SELECT
    provider,
    model,
    template_hash,
    least(100, floor(confidence * 100))::integer AS bin,
    count(*)::integer AS marks,
    sum(is_right)::integer AS hits
FROM decision_marks
WHERE is_own AND NOT is_repeat AND is_right IS NOT NULL AND confidence IS NOT NULL AND action <> 'hold'
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
