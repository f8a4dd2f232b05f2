-- Figures of stations by local day, kept by `milepost audit` (audit/days, docs/uptime.md).
SELECT 1;
