//! The way out of a sandbox, against a gateway that answers one line a call.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::sandbox::setup::{Machine, Run, eventually, open};

/// Sends one line to the gateway, closes its own side, and prints what comes back.
const CALL: &str = "import os, socket, urllib.parse as u\n\
    a = u.urlparse(os.environ['GATEWAY'])\n\
    def call(text):\n\
    \x20   s = socket.create_connection((a.hostname, a.port))\n\
    \x20   s.sendall(text.encode()); s.shutdown(socket.SHUT_WR)\n\
    \x20   data = b''\n\
    \x20   while True:\n\
    \x20       more = s.recv(65536)\n\
    \x20       if not more: break\n\
    \x20       data += more\n\
    \x20   print(data.decode(), flush=True)\n";

/// Answers one call with the name of the gateway and the length of what was said.
fn serve(socket: &Path, name: &'static str) -> std::thread::JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut said = String::new();
        let mut reader = BufReader::new(&stream);
        while reader.read_line(&mut said).unwrap() > 0 {}
        write!(&stream, "{name} {}", said.len()).unwrap();
    })
}

fn calling(machine: &Machine, python: &str) -> Option<Run> {
    if !Path::new("/usr/bin/python3").exists() {
        println!("SKIPPED: `python3` is not installed");
        return None;
    }
    let mut run = machine.run(1, &format!("exec /usr/bin/python3 -c \"${{CODE}}{python}\""));
    let folder = machine.path("gateway");
    fs::create_dir(&folder).unwrap();
    open(&folder);
    run.spec.gateway_socket = Some(folder.join("gw.sock"));
    run.spec.env.insert("GATEWAY".to_owned(), "{gateway}".to_owned());
    run.spec.env.insert("CODE".to_owned(), CALL.to_owned());
    Some(run)
}

async fn carries_both_ways_and_passes_on_the_end(machine: Machine) {
    let Some(run) = calling(&machine, "call('x' * 3000000)") else { return };
    let gateway = serve(run.spec.gateway_socket.as_ref().unwrap(), "gateway");
    let exit = machine.finish(&run).await;
    assert_eq!((exit.code, run.out()), (Some(0), vec!["gateway 3000000".to_owned()]));
    gateway.join().unwrap();
}

async fn only_waits_while_the_gateway_is_restarted(machine: Machine) {
    // It goes on once the first gateway is gone: one that is going breaks calls off.
    let script = "import os, time\ncall('a')\nwhile not os.path.exists('gone'): \
                  time.sleep(0.01)\ncall('bb')";
    let Some(run) = calling(&machine, script) else { return };
    let socket = run.spec.gateway_socket.clone().unwrap();
    let first = serve(&socket, "first");
    machine.submit(&run).await;
    run.printed("first 1").await;
    first.join().unwrap();
    fs::remove_file(&socket).unwrap();
    fs::write(run.spec.workspace.join("gone"), "").unwrap();
    let second = serve(&socket, "second");
    eventually(|| run.out().contains(&"second 2".to_owned()).then_some(())).await;
    second.join().unwrap();
    assert_eq!(run.ended().await.code, Some(0));
}

async fn waits_for_a_gateway_that_is_not_there_yet(machine: Machine) {
    let Some(run) = calling(&machine, "print('up', flush=True); call('a')") else { return };
    machine.submit(&run).await;
    run.printed("up").await;
    let gateway = serve(run.spec.gateway_socket.as_ref().unwrap(), "late");
    run.printed("late 1").await;
    gateway.join().unwrap();
    assert_eq!(run.ended().await.code, Some(0));
}

async fn is_refused_with_anything_beside_the_socket(machine: Machine) {
    let Some(run) = calling(&machine, "") else { return };
    fs::write(machine.path("gateway/other.sock"), "").unwrap();
    let err = zazen::sandbox::submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err();
    assert!(err.to_string().contains("other.sock"), "{err}");
}

in_every_engine!(
    carries_both_ways_and_passes_on_the_end,
    only_waits_while_the_gateway_is_restarted,
    waits_for_a_gateway_that_is_not_there_yet,
    is_refused_with_anything_beside_the_socket,
);
