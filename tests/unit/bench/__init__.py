"""The parts of benchmarks that decide."""
