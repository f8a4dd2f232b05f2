-- Which messages are missing is counted by the bridge alone, station by station; judges no longer count terminals.
ALTER TABLE terminal_state DROP COLUMN loss_window;
