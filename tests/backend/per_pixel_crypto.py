"""The classic scheme as its first clients run it: one modular power per channel value. For small pictures only."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

P, Q, E = 241, 263, 17


class Crypto:
    """The calls that the client of ``existing_client`` makes."""

    @staticmethod
    def generateAndWriteKeyToFile(folder: str, writeFile: bool) -> tuple[int, int, int]:
        """Return e, d, n of a fixed key pair and write its files."""
        n, d = P * Q, pow(E, -1, (P - 1) * (Q - 1))
        if writeFile:
            Path(folder, "rsa_pub.txt").write_text(f"{n} {E}", encoding="ascii")
            Path(folder, "rsa.txt").write_text(f"{d} {n}", encoding="ascii")
        return E, d, n

    @staticmethod
    def encrypt(imgPath: str, n: int, e: int, imgEncryptedSaveDst: str, quotientSaveDst: str) -> None:
        """Encrypt channel by channel in the order blue, green, red."""
        with Image.open(imgPath) as opened:
            planes = [list(plane.tobytes()) for plane in reversed(opened.convert("RGB").split())]
            size = opened.size
        powers = [[pow(value, e, n) for value in plane] for plane in planes]
        _save([[power % 256 for power in plane] for plane in powers], size, imgEncryptedSaveDst)
        text = "".join(f"{power // 256} " for plane in powers for power in plane)
        Path(quotientSaveDst).write_text(text, encoding="ascii")

    @staticmethod
    def decrypt(imgEncryptedPath: str, privateKeyPath: str, imgDecryptedSaveDst: str) -> None:
        """Decrypt with the quotient beside the picture."""
        d, n = map(int, Path(privateKeyPath).read_text(encoding="ascii").split(" "))
        quotients = iter(map(int, Path("quotient.txt").read_text(encoding="ascii").split()))
        with Image.open(imgEncryptedPath) as opened:
            planes = [list(plane.tobytes()) for plane in reversed(opened.convert("RGB").split())]
            size = opened.size
        opened_planes = [[pow(value + 256 * next(quotients), d, n) for value in plane] for plane in planes]
        _save(opened_planes, size, imgDecryptedSaveDst)


def _save(planes: list[list[int]], size: tuple[int, int], target: str) -> None:
    bands = [Image.frombytes("L", size, bytes(plane)) for plane in reversed(planes)]
    Image.merge("RGB", bands).save(target, "PNG")
