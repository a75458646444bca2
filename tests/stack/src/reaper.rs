//! Makes sure that nothing outlives us, however we end: a small shell that holds the other end of
//! a pipe. When the pipe closes, be it by a kill -9, it ends every process group that is still on
//! its list and removes the temporary folders. It touches nothing that was not put on that list.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

static REAPER: OnceLock<Mutex<Reaper>> = OnceLock::new();

/// Verbs, one a line: `watch SIGNAL GROUP`, `forget SIGNAL GROUP`, `remove FOLDER`.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
groups=' '
folders=''
while IFS= read -r line; do
  what=${line#* }
  case $line in
    'watch '*) groups="$groups$what," ;;
    'forget '*) case $groups in *"$what,"*) groups="${groups%%"$what,"*}${groups#*"$what,"}" ;; esac ;;
    'remove '*) folders="$folders$what
" ;;
  esac
done
IFS=,
alive() { for entry in $groups; do kill -0 -- "-${entry##* }" 2>/dev/null && return 0; done; return 1; }
for entry in $groups; do set -- "${entry% *}"; kill -s "${1##* }" -- "-${entry##* }" 2>/dev/null; done
tries=0
while alive && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
for entry in $groups; do kill -s KILL -- "-${entry##* }" 2>/dev/null; done
printf '%s' "$folders" | while IFS= read -r folder; do rm -rf -- "$folder"; done
"#;

#[derive(Debug)]
struct Reaper {
    pipe: ChildStdin,
    /// Kept so that the child is not taken for a forgotten one; it ends after us.
    _shell: Child,
}

impl Reaper {
    fn start() -> anyhow::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start sh")?;
        let pipe = shell.stdin.take().context("the reaper has no pipe")?;
        Ok(Self {
            pipe,
            _shell: shell,
        })
    }
}

/// From now on the group dies with us.
pub(crate) fn watch(group: u32, signal: Signal) -> anyhow::Result<()> {
    tell(&format!("watch {} {group}", short_name(signal)))
}

/// The group has ended; its number may become somebody else's.
pub(crate) fn forget(group: u32, signal: Signal) -> anyhow::Result<()> {
    tell(&format!("forget {} {group}", short_name(signal)))
}

/// From now on the folder goes with us.
pub(crate) fn remove(folder: &Path) -> anyhow::Result<()> {
    let text = folder.to_str().filter(|text| !text.contains('\n'));
    tell(&format!(
        "remove {}",
        text.context("a temporary folder whose name is no plain text")?
    ))
}

/// `kill -s` wants the name without its prefix.
fn short_name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}

fn tell(line: &str) -> anyhow::Result<()> {
    ensure!(
        !line.contains(','),
        "the reaper's list is separated by commas: {line}"
    );
    if REAPER.get().is_none() {
        // Two threads may both get here; the one that loses ends its own idle shell by closing the pipe.
        drop(REAPER.set(Mutex::new(Reaper::start()?)));
    }
    let reaper = REAPER.get().context("the reaper was not set")?;
    let mut reaper = reaper.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(reaper.pipe, "{line}").context("the reaper is gone")
}
