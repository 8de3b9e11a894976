"""Slow and obvious twins: terms tried one by one at each token, and products of whole documents by scikit-learn."""

from cargo.heading_vectors import CHAPTER_WEIGHT, LENGTH_POWER, plain_words
from cargo.hs import VERSIONS, codes, description
from cargo.retrieval import CHAPTER_SHARE, query_words
from cargo.terms import lexicon
from cargo.wording import fold, tokens


def spelled(term):
    """The forms of a term as lists of tokens, `*` kept."""
    words = []
    for part in term.term.split():
        made = [token.text for token in tokens(fold(part))]
        words += [*made[:-1], made[-1] + "*"] if part.endswith("*") else made
    forms = [words]
    last = words[-1]
    if term.language == "en" and last.isalpha() and len(last) > 2:
        if last.endswith(("S", "X", "CH", "SH")):
            plural = last + "ES"
        elif last.endswith("Y") and last[-2] not in "AEIOU":
            plural = last[:-1] + "IES"
        else:
            plural = last + "S"
        forms.append([*words[:-1], plural])
    return forms


FORMS = [form for term in lexicon() for form in spelled(term)]


def naive_places(text):
    """(first, last) of the terms of a text: from the left, the longest at each token."""
    folded = fold(text)
    found = tokens(folded)

    def joined(at):
        if not 0 < at < len(found):
            return False
        a, b = found[at - 1], found[at]
        return a.end == b.start and max(a.text[0], b.text[0]) < "\u3005"

    def fits(form, at):
        here = [token.text for token in found[at : at + len(form)]]
        same = len(here) == len(form) and all(
            word.startswith(part[:-1]) if part.endswith("*") else word == part
            for part, word in zip(form, here, strict=True)
        )
        return same and not joined(at) and not joined(at + len(form))

    made, at = [], 0
    while at < len(found):
        longest = max((len(form) for form in FORMS if fits(form, at)), default=0)
        if longest:
            made.append((at, at + longest))
        at += longest or 1
    return made


def naive_scores(texts, chapters):
    """For each text the score of each heading of some chapters."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    newest = {}
    for version in VERSIONS:
        for digits in (2, 4, 6):
            for code in codes(version, digits):
                newest[code] = description(code, version)
    headings = sorted(code for code in newest if len(code) == 4 and code[:2] != "99")
    kept = [
        code for code in newest if code[:4] in headings or (len(code) == 2 and any(h[:2] == code for h in headings))
    ]
    words = {code: " ".join(plain_words(newest[code])) for code in kept}
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, lowercase=False)
    rows = dict(zip(words, vectorizer.fit_transform(words.values()), strict=True))

    def unit(vector):
        length = np.sqrt((vector**2).sum())
        return vector / length if length else vector

    made = []
    asked = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), lowercase=False, vocabulary=vectorizer.vocabulary_)
    asked.idf_ = vectorizer.idf_
    queries = [np.asarray(asked.transform([" ".join(query_words(text))]).todense()).ravel() for text in texts]
    products = [{} for _ in texts]
    for heading in (heading for heading in headings if heading[:2] in chapters):
        over, chapter = (np.asarray(rows[code].todense()).ravel() for code in (heading, heading[:2]))
        under = [np.asarray(rows[code].todense()).ravel() for code in words if len(code) == 6 and code[:4] == heading]
        vector = np.max([unit(own + over + CHAPTER_WEIGHT * chapter) for own in under], axis=0)
        vector /= np.sqrt((vector**2).sum()) ** LENGTH_POWER
        for n, query in enumerate(queries):
            products[n][heading] = min(1.0, float(query @ vector))
    for each in products:
        of_chapter = {}
        for heading, product in each.items():
            of_chapter.setdefault(heading[:2], []).append(product)
        best = {chapter: np.mean(sorted(found)[-3:]) for chapter, found in of_chapter.items()}
        made.append({h: (1 - CHAPTER_SHARE) * p + CHAPTER_SHARE * best[h[:2]] for h, p in each.items()})
    return made
