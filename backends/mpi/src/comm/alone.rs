//! One rank, without a library: a program that no launcher started.

use super::own::deliver;
use super::{Broken, Communicator, Receive, Send, Sent};

/// The only rank.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Communicator for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn overlap(
        &self,
        sends: &[Send<'_>],
        receives: &mut [Receive<'_>],
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        work();
        let to = sends.iter().map(|send| send.to);
        let from = receives.iter().map(|receive| receive.from);
        if let Some(rank) = to.chain(from).find(|&rank| rank > 0) {
            return Err(Broken::Gone { rank });
        }
        deliver(0, sends, receives)
    }

    fn split(&self, _color: u64, _key: u64) -> Result<Box<dyn Communicator>, Broken> {
        Ok(Box::new(Alone))
    }

    fn abort(&self, text: &str) -> ! {
        eprintln!("{text}");
        std::process::exit(1);
    }

    fn sent(&self) -> Sent {
        Sent::default()
    }
}
