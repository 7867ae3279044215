"""Words that hold a sentence together and say nothing of its subject. Without accents, in small letters."""

from indexer.entries import Language

_FRENCH = """
le la les l un une des du de d au aux a
ce cet cette ces c s se
mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs
je j tu il elle on nous vous ils elles me m te t moi toi lui eux y en
avec dans par pour sur
et ou mais que qu qui ne n pas meme
etre suis es est sommes etes sont etais etait etions etiez etaient
serai seras sera serons serez seront serais serait serions seriez seraient sois soit soyons soyez soient
ai as avons avez ont avais avait avions aviez avaient eu
aurai auras aura aurons aurez auront aurais aurait aurions auriez auraient aie aies ait ayons ayez aient
"""
_ENGLISH = """
a an the this that these those
they their there it
i am is are was were be
at by for in into of on to with as
and or but if then not no such
will s t
"""
STOPWORDS: dict[Language, frozenset[str]] = {"fr": frozenset(_FRENCH.split()), "en": frozenset(_ENGLISH.split())}
