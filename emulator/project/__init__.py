"""The project that an emulator runs: its settings, `emulator.toml`, its folders."""
