"""What AWS delivers to functions: by queues, streams, topics, rules, schedules, and without waiting."""
