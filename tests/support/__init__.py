"""What tests are made with: builders, real servers, clients, logs to tamper with."""
