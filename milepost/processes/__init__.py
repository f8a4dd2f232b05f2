"""The processes of `milepost up`: started, watched, started again, stopped."""
