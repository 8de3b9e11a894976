"""Which headings of the Harmonized System a description resembles, by the character n-grams of its words.

The product of the description's vector, of length 1, and the heading's (see `cargo.heading_vectors`) is a sum over the
words of the description, as no n-gram goes across words, so that the share of each word can be told. The score of a
heading is its product, 1 at most, mixed with the mean of the best three of its chapter: descriptions of a group speak
for its chapter.

The nomenclature is in English: of other languages only words that English shares are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cargo.heading_vectors import heading_vectors, ngram_counts, plain_words, word_ngrams

_TEXTS, _WORDS = 4_096, 32_768
"""Descriptions, and words in them, that are compared at a time: 20 MB of scores, and 160 MB at most of their words'."""
CHAPTER_SHARE = 0.375
"""Part of a score that is its chapter's; tried from 0 to 0.5 on lists other than the EU's."""
_SHARE = 0.15
"""Part of a score that a word must make to have spoken."""

_SPELLING = {
    "JEWELRY": "JEWELLERY",
    "TIRE": "TYRE",
    "TIRES": "TYRES",
    "AUTOMOBILES": "MOTOR CARS",
    "AUTOMOBILE": "MOTOR CAR",
    "CAR": "MOTOR CAR",
    "CARS": "MOTOR CARS",
    "SEDAN": "MOTOR CAR",
    "SHOES": "FOOTWEAR",
    "SHOE": "FOOTWEAR",
    "SOFA": "UPHOLSTERED SEATS",
    "TV": "TELEVISION",
    "TRUCK": "GOODS VEHICLE",
    "TRUCKS": "GOODS VEHICLES",
    "ARMORED": "ARMOURED",
    "FIBER": "FIBRE",
    "ALUMINUM": "ALUMINIUM",
}
"""Words of trade and American spellings in the nomenclature's words."""


class Likeness(NamedTuple):
    """A heading that a description resembles, and how much: 0 to 1."""

    heading: str
    score: float


def query_words(text: str) -> list[str]:
    """The words of a description that can be compared with the nomenclature, in its spelling.

    >>> query_words("Said to contain: 2 units used SEDAN cars, jewelry")
    ['MOTOR', 'CAR', 'MOTOR', 'CARS', 'JEWELLERY']
    """
    return [part for word in plain_words(text) for part in _SPELLING.get(word, word).split()]


def likeness(texts: Sequence[str], k: int = 10) -> list[tuple[Likeness, ...]]:
    """The `k` headings that each description resembles most, best first; fewer where fewer share an n-gram with it.

    >>> [found.heading for found in likeness(["yachts and other vessels for pleasure"])[0][:1]]
    ['8903']
    >>> likeness(["보트"])
    [()]
    """
    found: list[tuple[Likeness, ...]] = []
    for queries in _chunks(texts):
        found += [_best(each, k) for each in _scores(queries)]
    return found


def _chunks(texts: Sequence[str]) -> Iterator[list[list[str]]]:
    """The words of the descriptions, as many at a time as may be."""
    queries: list[list[str]] = []
    n_words = 0
    for text in texts:
        words = query_words(text)
        if queries and (len(queries) == _TEXTS or n_words + len(words) > _WORDS):
            yield queries
            queries, n_words = [], 0
        queries.append(words)
        n_words += len(words)
    if queries:
        yield queries


def pair_scores(texts: Sequence[str], headings: Sequence[str]) -> list[float]:
    """The score of each description for a heading; 0 for a heading that no version of the nomenclature has.

    >>> car, yacht = pair_scores(["sailing yacht"] * 2, ["8703", "8903"])
    >>> yacht > car > 0.0, pair_scores(["sailing yacht"], ["8799"])
    (True, [0.0])
    """
    columns = {heading: n for n, heading in enumerate(heading_vectors().headings.tolist())}
    found: list[float] = []
    for queries in _chunks(texts):
        at = np.array([columns.get(heading, -1) for heading in headings[len(found) : len(found) + len(queries)]])
        found += np.where(at >= 0, _scores(queries)[np.arange(len(at)), at], 0.0).tolist()
    return found


def _scores(queries: list[list[str]]) -> NDArray[np.float32]:
    """Scores: a row per description, a column per heading."""
    from scipy.sparse import csr_matrix

    vectors = heading_vectors()
    vocabulary = {word: n for n, word in enumerate(dict.fromkeys(word for query in queries for word in query))}
    grams = ngram_counts(list(vocabulary))
    by_word = np.asarray((grams @ vectors.matrix.T).todense())
    columns = np.array([vocabulary[word] for query in queries for word in query], dtype=np.int64)
    ends = np.concatenate([[0], np.cumsum([len(query) for query in queries])])
    holds = csr_matrix((np.ones(len(columns), "f4"), columns, ends), shape=(len(queries), len(vocabulary)))
    weighted = (holds @ grams).multiply(vectors.weights[None, :])
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)))
    products = np.asarray((holds @ by_word) / np.where(norms > 0.0, norms, 1.0), dtype=np.float32)
    np.minimum(products, 1.0, out=products)
    return (1.0 - CHAPTER_SHARE) * products + CHAPTER_SHARE * _of_chapters(products, vectors.headings)


def _of_chapters(products: NDArray[np.float32], headings: NDArray[np.str_]) -> NDArray[np.float32]:
    """For each heading the mean of the best three products of its chapter (of all where there are fewer)."""
    made = np.empty_like(products)
    chapters = headings.astype("U2")
    starts = np.flatnonzero(np.concatenate([[True], chapters[1:] != chapters[:-1]])).tolist()
    for start, end in zip(starts, [*starts[1:], len(headings)], strict=True):
        few = min(3, end - start)
        best = np.partition(products[:, start:end], end - start - few, axis=1)[:, end - start - few :]
        made[:, start:end] = best.mean(axis=1, keepdims=True)
    return made


def _best(scores: NDArray[np.float32], k: int) -> tuple[Likeness, ...]:
    """The best headings, those of equal score by their number."""
    headings = heading_vectors().headings
    enough = min(k, len(scores))
    edge = np.partition(scores, len(scores) - enough)[len(scores) - enough]
    some = np.flatnonzero((scores >= edge) & (scores > 0.0))
    ordered = some[np.argsort(-scores[some], kind="stable")][:k]
    return tuple(map(Likeness, headings[ordered].tolist(), scores[ordered].tolist()))


def spoken_words(text: str, heading: str) -> tuple[str, ...]:
    """The words of a description that made its likeness to a heading, the strongest first.

    >>> spoken_words("2 sailing yachts, white", "8903")
    ('YACHTS', 'SAILING')
    """
    words = list(dict.fromkeys(query_words(text)))
    shares = {word: sum(part for _, part in _parts([word], heading)) for word in words}
    total = sum(shares.values())
    ordered = sorted(words, key=lambda word: -shares[word])
    return tuple(word for word in ordered if total > 0.0 and shares[word] >= _SHARE * total)


def spoken_ngrams(text: str, heading: str, k: int = 8) -> tuple[tuple[str, float], ...]:
    """The n-grams that made the likeness of a description and a heading, with the part of each, largest first.

    A blank stands for the edge of a word. The parts of all n-grams add up to 1.

    >>> {gram for gram, _ in spoken_ngrams("yachts", "8903", 40)} <= set(word_ngrams("YACHTS"))
    True
    """
    parts = _parts(query_words(text), heading)
    total = sum(part for _, part in parts)
    return tuple((gram, part / total) for gram, part in parts[:k])


def _parts(words: list[str], heading: str) -> list[tuple[str, float]]:
    """What each n-gram adds to the product of the words and a heading, largest first."""
    vectors = heading_vectors()
    row = np.flatnonzero(vectors.headings == heading)
    if not len(row):
        return []
    begin, end = vectors.matrix.indptr[row[0]], vectors.matrix.indptr[row[0] + 1]
    indices, values = vectors.matrix.indices[begin:end], vectors.matrix.data[begin:end]
    made: dict[str, float] = {}
    for gram in (gram for word in words for gram in word_ngrams(word)):
        at = vectors.vocabulary.get(gram, -1)
        place = int(np.searchsorted(indices, at))
        if at >= 0 and place < len(indices) and indices[place] == at:
            made[gram] = made.get(gram, 0.0) + float(values[place])
    return sorted(made.items(), key=lambda item: (-item[1], item[0]))
