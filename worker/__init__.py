"""What runs on GPU hosts: the task, its supervisor, the reaper, and the trainer."""
