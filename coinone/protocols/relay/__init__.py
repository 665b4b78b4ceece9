"""The peer protocol: frames, messages, and a state machine that follows and serves the chain, without sockets."""
