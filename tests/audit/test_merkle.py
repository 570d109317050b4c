"""The tree and its proofs by RFC 6962, for any size."""

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.merkle_proofs import all_tiles, check_inclusion
from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.merkle import (
    EMPTY_ROOT,
    Node,
    Tile,
    TreeHashes,
    check_consistency,
    consistency_parts,
    covering_subtrees,
    inclusion_parts,
    new_tiles,
    parse_tile,
    tile_root,
    tiles_of,
)
from tracker.errors import InvalidInput, NotProven
from tracker.log.entry_hash import leaf_hash

# The tree by which certificate-transparency is tested: eight leaves, and the root of every size.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
SIZES = st.one_of(
    st.integers(1, 600),
    *(st.integers(at - 3, at + 3) for at in (256, 512, 65_536, 65_792, 131_072)),
)


@cache
def leaf(index: int) -> bytes:
    """Return the hash of a test entry."""
    return leaf_hash(b"entry %d" % index)


@cache
def naive(start: int, stop: int) -> bytes:
    """Return the root of entries by the definition in RFC 6962, section 2.1."""
    if stop - start == 1:
        return leaf(start)
    k = 1
    while k * 2 < stop - start:
        k *= 2
    left, right = naive(start, start + k), naive(start + k, stop)
    return sha256(b"\x01" + left + right).digest()


def naive_path(index: int, start: int, stop: int) -> list[bytes]:
    """Return PATH of RFC 6962, section 2.1.1."""
    if stop - start == 1:
        return []
    k = 1
    while k * 2 < stop - start:
        k *= 2
    if index < k:
        return [*naive_path(index, start, start + k), naive(start + k, stop)]
    return [*naive_path(index - k, start + k, stop), naive(start, start + k)]


def naive_proof(old: int, start: int, stop: int, known: bool) -> list[bytes]:
    """Return SUBPROOF of RFC 6962, section 2.1.2."""
    if old == stop - start:
        return [] if known else [naive(start, stop)]
    k = 1
    while k * 2 < stop - start:
        k *= 2
    if old <= k:
        return [*naive_proof(old, start, start + k, known), naive(start + k, stop)]
    return [*naive_proof(old - k, start + k, stop, False), naive(start, start + k)]


def tile_data(tile: Tile) -> bytes:
    """Return the bytes of a tile."""
    width = 256**tile.level
    return b"".join(
        naive(number * width, (number + 1) * width)
        for number in range(tile.number * 256, tile.number * 256 + tile.width)
    )


def hashes(size: int, parts: list[list[Node]]) -> TreeHashes:
    """Return the hashes of the required tiles only."""
    nodes = [node for part in parts for node in part]
    return TreeHashes(size, {tile: tile_data(tile) for tile in tiles_of(nodes, size)})


def test_a_growing_tree_has_the_roots_of_the_reference() -> None:
    frontier, found = TileFrontier(), [TileFrontier().root()]
    for entry in LEAVES:
        frontier.add([leaf_hash(entry)])
        found.append(frontier.root())
    assert found == ROOTS
    assert found[0] == EMPTY_ROOT


# The proofs of that tree.
@each_case(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)
def test_inclusion_proofs_are_those_of_the_reference(
    index: int, size: int, proof: list[str]
) -> None:
    found = TreeHashes(size, {Tile(0, 0, size): b"".join(map(leaf_hash, LEAVES[:size]))})
    hashes = found.proof(inclusion_parts(index, size))
    assert [hash.hex() for hash in hashes] == proof
    check_inclusion(leaf_hash(LEAVES[index]), index, size, hashes, ROOTS[size])


@each_case(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_consistency_proofs_are_those_of_the_reference(
    old: int, new: int, proof: list[str]
) -> None:
    found = TreeHashes(new, {Tile(0, 0, new): b"".join(map(leaf_hash, LEAVES[:new]))})
    hashes = found.proof(consistency_parts(old, new))
    assert [hash.hex() for hash in hashes] == proof
    check_consistency(old, new, hashes, ROOTS[old], ROOTS[new])


@settings(max_examples=60, deadline=None)
@given(st.data(), SIZES)
def test_an_inclusion_proof_out_of_tiles_is_that_of_the_definition(
    data: st.DataObject, size: int
) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = inclusion_parts(index, size)
    proof = hashes(size, parts).proof(parts)
    assert proof == naive_path(index, 0, size)
    check_inclusion(leaf(index), index, size, proof, naive(0, size))
    with pytest.raises(NotProven):
        check_inclusion(leaf_hash(b"another"), index, size, proof, naive(0, size))


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES)
def test_a_consistency_proof_out_of_tiles_is_that_of_the_definition(one: int, other: int) -> None:
    old, new = sorted((one, other))
    parts = consistency_parts(old, new)
    proof = hashes(new, parts).proof(parts)
    assert proof == naive_proof(old, 0, new, True)
    check_consistency(old, new, proof, naive(0, old), naive(0, new))
    with pytest.raises(NotProven):
        check_consistency(old, new, proof, leaf_hash(b"another"), naive(0, new))


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 70))
def test_a_proof_with_anything_changed_does_not_hold(data: st.DataObject, size: int) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    proof, grown = naive_path(index, 0, size), naive_proof(old, 0, size, True)
    change = data.draw(st.sampled_from(["drop", "add", "flip", "swap", "move"]))
    if change == "move" and size > 1:
        with pytest.raises(NotProven):
            check_inclusion(leaf(index), (index + 1) % size, size, proof, naive(0, size))
    for was, check in (
        (proof, lambda p: check_inclusion(leaf(index), index, size, p, naive(0, size))),
        (grown, lambda p: check_consistency(old, size, p, naive(0, old), naive(0, size))),
    ):
        changed = changed_hashes(data, change, was)
        if changed != was:
            with pytest.raises(NotProven):
                check(changed)


def changed_hashes(data: st.DataObject, change: str, proof: list[bytes]) -> list[bytes]:
    """Return a changed proof."""
    if change == "add":
        return [*proof, EMPTY_ROOT]
    if not proof or change == "move":
        return proof
    at = data.draw(st.integers(0, len(proof) - 1))
    if change == "drop":
        return proof[:at] + proof[at + 1 :]
    if change == "swap":
        return proof[::-1]
    return [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]]


@settings(max_examples=40, deadline=None)
@given(SIZES)
def test_the_root_of_any_smaller_size_follows_from_the_tiles(size: int) -> None:
    found = hashes(size, [covering_subtrees(0, size)])
    assert found.root() == naive(0, size)
    complete = size // 256 * 256
    assert hashes(size, [covering_subtrees(0, complete)]).root(complete) == (
        naive(0, complete) if complete else EMPTY_ROOT
    )


def test_a_growing_tree_agrees_with_the_definition_at_every_size() -> None:
    frontier = TileFrontier()
    for size in range(1, 600):
        frontier.add([leaf(size - 1)])
        assert frontier.root() == naive(0, size)


@each_case(
    ("size", "expected"),
    [
        (0, []),
        (1, [Tile(0, 0, 1)]),
        (256, [Tile(0, 0), Tile(1, 0, 1)]),
        (257, [Tile(0, 0), Tile(0, 1, 1), Tile(1, 0, 1)]),
    ],
)
def test_a_tree_has_these_tiles(size: int, expected: list[Tile]) -> None:
    assert list(all_tiles(size)) == expected
    assert all(tile.entries <= size for tile in expected)


def test_the_tiles_of_the_example_in_the_specification() -> None:
    tiles = list(all_tiles(70_000))
    assert len([tile for tile in tiles if tile.level == 0 and tile.width == 256]) == 273
    assert tiles[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_tiles_that_become_complete_are_those_that_were_not(one: int, other: int) -> None:
    old, new = sorted((one, other))
    complete = {tile for tile in all_tiles(new) if tile.width == 256}
    assert set(new_tiles(old, new)) == complete - set(all_tiles(old))
    levels = [tile.level for tile in new_tiles(old, new)]
    assert levels == sorted(levels)


def test_the_root_of_a_tile_is_the_hash_above_it() -> None:
    assert tile_root(tile_data(Tile(0, 3))) == naive(768, 1024)


@each_case(
    ("path", "tile"),
    [
        ("0/000", Tile(0, 0)),
        ("1/x001/x234/067", Tile(1, 1_234_067)),
        ("63/999.p/1", Tile(63, 999, 1)),
        ("0/x001/000.p/255", Tile(0, 1000, 255)),
    ],
)
def test_a_tile_has_one_path(path: str, tile: Tile) -> None:
    assert tile.path == path
    assert parse_tile(path) == (tile, False)
    assert parse_tile(f"entries/{tile.number_path}") == (Tile(0, tile.number, tile.width), True)


@each_case(
    "path",
    [
        "",
        "0",
        "0/",
        "0/0",
        "0/00",
        "0/0000",
        "00/000",
        "64/000",
        "-1/000",
        "0/x000/001",
        "0/x001",
        "0/001/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/",
        "0/000/",
        "data/000",
        "0/٠٠٠",
        "0/000.p/300",
        "0/000\n",
        "entries/x000/000",
    ],
)
def test_another_path_is_not_a_tile(path: str) -> None:
    with pytest.raises(InvalidInput, match="is not a tile"):
        parse_tile(path)


@each_case("index", [-1, 5])
def test_only_entries_of_the_tree_have_a_proof(index: int) -> None:
    with pytest.raises(InvalidInput, match="tree of 5") as caught:
        inclusion_parts(index, 5)
    assert caught.value.path == ("index",)
    with pytest.raises(NotProven, match="no entry number"):
        check_inclusion(EMPTY_ROOT, index, 5, [], EMPTY_ROOT)


def test_only_smaller_sizes_have_a_proof() -> None:
    with pytest.raises(InvalidInput, match="at most 5"):
        consistency_parts(6, 5)
    with pytest.raises(NotProven, match="does not begin"):
        check_consistency(6, 5, [], EMPTY_ROOT, EMPTY_ROOT)
    check_consistency(0, 5, [], EMPTY_ROOT, naive(0, 5))
    with pytest.raises(NotProven, match="not the same"):
        check_consistency(0, 5, [], naive(0, 1), naive(0, 5))
    with pytest.raises(NotProven, match="not the same"):
        check_consistency(5, 5, [], naive(0, 4), naive(0, 5))


def test_a_tile_that_is_too_short_is_noticed() -> None:
    with pytest.raises(NotProven, match="has 32 bytes: expected 64"):
        TreeHashes(2, {Tile(0, 0, 2): EMPTY_ROOT}).root()


def test_a_tile_has_no_hash_of_what_the_tree_has_not() -> None:
    with pytest.raises(NotProven):
        TreeHashes(2, {Tile(0, 0, 2): tile_data(Tile(0, 0, 2))}).node(Node(0, 5))
