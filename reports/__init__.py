"""Results in, numbers, figures and one publishable page out; nothing here trains, schedules or stores."""
