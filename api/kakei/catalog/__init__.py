"""What can be taken on and earned: templates and badges."""
