"""Questions of law with the right answers, asked as anybody asks them."""
