"""What a bridge writes into the log about itself and its shard: ticks, the pulses behind them, and what they count."""
