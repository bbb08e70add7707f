"""Where a message may go: the public internet, encrypted, to exactly the address that was looked at, and no further."""

import datetime as dt
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appeal.outgoing import net
from appeal.outgoing.addresses import NotAllowed, is_public, target_of
from tests.outgoing.receiver import receiving
from tests.support.network import NetworkRefused

PUBLIC = "93.184.215.14"
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1",  # noqa: S104 - to be refused
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "192.88.99.1", "168.63.129.16", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1",
    "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1", "2001::7f00:1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1",
    "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "not an address", "",
]  # fmt: skip
REFUSED = [
    "http://hooks.example.org/", "ftp://hooks.example.org/", "file:///etc/passwd", "gopher://hooks.example.org/",
    "//hooks.example.org/", "hooks.example.org", "", "https://", "https:///path", "javascript:alert(1)",
    "https://user@hooks.example.org/", "https://user:pass@hooks.example.org/", "https://hooks.example.org@127.0.0.1/",
    "https://@127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/",
    "https://017700000001/", "https://127.1/", "https://1/", "https://0/", "https://10.0.0.010/", "https://127.0.0.0x1/",
    "https://hooks.example.org:0/", "https://hooks.example.org:99999/", "https://hooks.example.org:port/",
    "https://hooks.example.org\\@127.0.0.1/", "https://hooks.example.org /", "https://hooks.example.org/\r\nX: y",
    "https://hooks.example.org/\x00", "https://[::1", "https://ho_oks..example.org:443:80/", "https://-/", "https://./",
    "https://\u202ehooks.example.org/", "https://a/" + "x" * 500, "https://%31%32%37.0.0.1/", "https://exa mple.org/",
    "https://127。0。0。1/", "https://①②⑦.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_outside_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "2a00:1450:4009::200e"])
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_a_plain_encrypted_address_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        target_of(address)


def test_an_address_is_taken_apart() -> None:
    target = target_of("https://Hooks.Exämple.org:8443/in/é?key=1#part")
    assert (target.host, target.port, target.path) == ("hooks.xn--exmple-cua.org", 8443, "/in/é?key=1")
    assert target.host_header == "hooks.xn--exmple-cua.org:8443"
    assert target_of("https://[2606:4700::1111]/").host_header == "[2606:4700::1111]"


@pytest.mark.parametrize("address", [one for one in PRIVATE if "%" not in one and one and " " not in one])
def test_a_request_to_a_private_network_is_refused_before_it_is_made(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NotAllowed):
        net.post(f"https://{host}/", b"", {})


@pytest.mark.parametrize("address", PRIVATE[:-2])
def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        net.post("https://hooks.example.org/", b"", {}, resolve=lambda _host, _port: [address])


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(NotAllowed):
        net.post("https://hooks.example.org/", b"", {}, resolve=lambda _host, _port: [PUBLIC, "10.0.0.1"])


def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
    asked = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers.pop(0)

    with receiving() as receiver:
        port = receiver.address.rpartition(":")[2]
        # The tests' own guard names the address that was about to be reached: the one that was looked at.
        with pytest.raises(net.Undelivered) as refused:
            net.post(f"https://hooks.example.org:{port}/", b"", {}, resolve=rebinding)
    assert isinstance(refused.value.__cause__, NetworkRefused)
    assert PUBLIC in str(refused.value.__cause__)
    assert asked == ["hooks.example.org"]
    assert receiver.messages == []


def test_without_encryption_only_this_machine_is_reached_and_never_in_production() -> None:
    with receiving() as receiver:
        with pytest.raises(NotAllowed):
            net.post(receiver.address, b"{}", {})
        with pytest.raises(NotAllowed):
            net.post("http://hooks.example.org/", b"", {}, loopback=True, resolve=lambda *_: [PUBLIC])
        assert net.post(receiver.address, b"{}", {}, loopback=True).status == 204
    assert len(receiver.messages) == 1


def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving() as receiver:
        receiver.answer_next(307, {"Location": other.address})
        answer = net.post(receiver.address, b"{}", {}, loopback=True)
    assert (answer.status, answer.taken) == (307, False)
    assert other.messages == []


def test_little_of_a_long_answer_is_read() -> None:
    with receiving() as receiver:
        receiver.answer_next(200, body=b"x" * 5_000_000)
        answer = net.post(receiver.address, b"{}", {}, loopback=True)
    assert len(answer.text) == net.ANSWER_BYTES


def test_an_answer_that_drips_in_is_cut_off_at_the_deadline() -> None:
    with receiving() as receiver:
        receiver.drip_seconds = 0.02
        began = time.monotonic()
        with pytest.raises(net.Undelivered, match="did not answer in time"):
            net.post(receiver.address, b"{}", {}, loopback=True, exchange_seconds=0.5)
    assert 0.4 < time.monotonic() - began < 5


def test_nobody_there_is_told_in_a_sentence() -> None:
    with pytest.raises(net.Undelivered, match="refused the connection"):
        net.post("http://127.0.0.1:1/", b"{}", {}, loopback=True)


# -- certificates ------------------------------------------------------------------------------------------------


def certificate(directory: Path, name: str) -> Path:
    """Write a certificate for a name, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = dt.timedelta(days=1)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def post_encrypted(directory: Path, *, named: str, asked_for: str) -> net.Answer:
    """Send to a receiver whose certificate is for one name, by another."""
    path = certificate(directory, named)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(path)
    with receiving(own) as receiver:
        port = receiver.address.rpartition(":")[2]
        return net.post(
            f"https://{asked_for}:{port}/in",
            b"{}",
            {},
            loopback=True,
            resolve=lambda _host, _port: ["127.0.0.1"],
            context=ssl.create_default_context(cafile=path),
        )


def test_the_certificate_must_be_for_the_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    assert post_encrypted(tmp_path, named="hooks.example.org", asked_for="hooks.example.org").taken
    with pytest.raises(net.Undelivered, match="certificate"):
        post_encrypted(tmp_path, named="hooks.example.org", asked_for="other.example.org")


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(certificate(tmp_path, "hooks.example.org"))
    with receiving(own) as receiver:
        address = f"https://hooks.example.org:{receiver.address.rpartition(':')[2]}/"
        with pytest.raises(net.Undelivered, match="certificate"):
            net.post(address, b"", {}, loopback=True, resolve=lambda *_: ["127.0.0.1"])
