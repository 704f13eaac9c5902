"""What the page is told: functions from runs to JSON values, apart from how they are asked for."""
