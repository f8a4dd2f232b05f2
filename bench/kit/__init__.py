"""Parts of benchmarks, and programs that benchmarks start."""
