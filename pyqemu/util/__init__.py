"""What every floor may use: errors, units, option strings. It knows nothing of the rest of the program."""
