//! What the process denies itself and others: sockets, new programs, core dumps, a look into its memory.
//!
//! The only file of the offline program with system calls that std and the safe calls of rustix do not have.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::panic::{self, UnwindSafe};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Whether the system call filter is in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// A socket, or another program, is the end of this process.
    InPlace,
    /// This kernel or architecture has no such filter.
    Unavailable,
}

/// Hardens the process: before it reads anything, its command line included.
pub fn begin() -> Filter {
    // Best effort, one by one: a machine that lacks one has the others.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let locked = getrlimit(Resource::Memlock);
    let _ = setrlimit(Resource::Memlock, Rlimit { current: locked.maximum, ..locked });
    match filter().map(|program| seccompiler::apply_filter_all_threads(&program)) {
        Some(Ok(())) => Filter::InPlace,
        Some(Err(_)) | None => Filter::Unavailable,
    }
}

/// System calls that no command needs. One of them is the end of the process.
pub const DENIED: &[i64] = &[
    // the network, by sockets or by the ring that can open them
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_shutdown,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // other programs and their memory
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_keyctl,
    libc::SYS_add_key,
];

/// On x86-64 the same calls have a second number (x32), which must not be the way round.
#[cfg(target_arch = "x86_64")]
pub const SECOND_NUMBER: i64 = 0x4000_0000;
#[cfg(not(target_arch = "x86_64"))]
pub const SECOND_NUMBER: i64 = 0;

fn filter() -> Option<BpfProgram> {
    let rules: BTreeMap<i64, _> =
        DENIED.iter().flat_map(|number| [*number, number | SECOND_NUMBER]).map(|number| (number, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, architecture).ok()?.try_into().ok()
}

/// Keeps memory from being written to a swap file, as far as the system lets this user.
pub fn keep_in_memory(place: Range<usize>) {
    let start = std::ptr::without_provenance_mut(place.start);
    // SAFETY: locking reads and writes nothing; a range that is not mapped is refused by the system.
    #[allow(unsafe_code)]
    let _ = unsafe { rustix::mm::mlock(start, place.len()) };
}

/// The file behind a descriptor that the caller opened for us, if it is open.
pub fn inherited(number: u32) -> Option<File> {
    let raw = i32::try_from(number).ok()?;
    fs::symlink_metadata(format!("/proc/self/fd/{number}")).ok()?;
    // SAFETY: the descriptor is open (just looked up), was inherited for this purpose, and nothing else in this process
    // owns it: this runs once, before any other file is opened, and 1 and 2 are refused before.
    #[allow(unsafe_code)]
    let file = unsafe { <File as std::os::fd::FromRawFd>::from_raw_fd(raw) };
    Some(file)
}

/// Refuses a machine that could talk: an interface beside the loopback is up, or nobody can tell.
///
/// `root` is `/`; tests have their own.
pub fn require_airgap(filter: Filter, root: &Path) -> Result<(), Refusal> {
    if filter == Filter::Unavailable {
        return Err(Refusal::new(
            Code::AIRGAP_FILTER,
            "",
            "this kernel does not let the program deny itself the network (seccomp)",
            "use a Linux kernel with CONFIG_SECCOMP_FILTER, or leave --require-airgap out",
        ));
    }
    let refused = |problem: String| {
        Err(Refusal::new(
            Code::AIRGAP_INTERFACE,
            "",
            problem,
            "take the interface down (ip link set NAME down, rfkill block all), unplug it, or use another machine",
        ))
    };
    // The interfaces of this process, and not those of whoever mounted /sys.
    let Ok(list) = fs::read_to_string(root.join("proc/self/net/dev")) else {
        return refused("the network interfaces can not be listed".to_owned());
    };
    for name in list.lines().skip(2).filter_map(|line| line.split(':').next()).map(str::trim) {
        let attribute = |attribute: &str| fs::read_to_string(root.join("sys/class/net").join(name).join(attribute));
        let flags =
            attribute("flags").ok().and_then(|text| u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok());
        let is_loopback = flags.map_or(name == "lo", |flags| flags & IFF_LOOPBACK != 0);
        let state = attribute("operstate").unwrap_or_default();
        // A driver that does not tell its state is believed to be up where it was switched on.
        let is_down = flags.is_some_and(|flags| flags & IFF_UP == 0) && state.trim() != "up";
        if !is_loopback && !is_down {
            return refused(format!("the network interface {} is up", printable(name)));
        }
    }
    Ok(())
}

/// The interface was switched on (linux/if.h).
const IFF_UP: u32 = 1 << 0;
/// It leads back to this machine.
const IFF_LOOPBACK: u32 = 1 << 3;

/// Where the last panic was.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs the program. A panic is a refusal that names the place in the code and nothing else: what a panic says may hold
/// what the code was working on.
pub fn without_panic<T>(run: impl FnOnce() -> Result<T, Refusal> + UnwindSafe) -> Result<T, Refusal> {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    panic::catch_unwind(run).unwrap_or_else(|_| {
        let place = PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(Refusal::new(
            Code::BUG,
            "",
            format!("coldbridge stopped at {place}"),
            "report it with the version and the command",
        ))
    })
}
