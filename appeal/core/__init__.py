"""The pure core: time, money, words and progress as arithmetic on plain values. No framework, no database, no supplier."""
