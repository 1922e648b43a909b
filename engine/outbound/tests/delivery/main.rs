//! Tests of delivery, over sockets of this machine.

#[cfg(test)]
mod server;

#[cfg(test)]
mod sending;
