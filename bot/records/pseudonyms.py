"""The made-up names of candidates: an animal and another word, both the same in French and in English."""

import secrets

# At most six letters each, so that a name fits its column even with a number behind it. Nothing that mocks anybody.
ANIMALS = (
    "Beagle Bison Coati Collie Condor Corgi Dragon Fennec Gecko Husky Ibis Impala Jaguar Kiwi Koala Lion Lynx Margay "
    "Merlin Numbat Ocelot Okapi Oryx Panda Puffin Puma Quokka Saola Serval Setter Shiba Tapir Toucan Wombat Yak"
).split()
SECOND = (
    "Acacia Alpha Altair Alto Ariel Banjo Baobab Bingo Bonsai Bronze Cactus Citron Cobalt Curry Dahlia Delta Domino "
    "Ficus Gamma Ginkgo Golf Indigo Iris Jade Judo Kappa Kimono Lambda Laser Litchi Lotus Lyra Mambo Mauve Melon "
    "Mimosa Olive Omega Onyx Orange Orion Pesto Piano Pixel Polka Polo Quartz Radar Rigel Robot Rugby Rumba Safari "
    "Salsa Samba Sierra Sigma Sirius Solo Sonar Sonnet Sushi Tango Tempo Tennis Titan Trio Triton Turbo Vega Viola "
    "Violet Yoga Yucca Zigzag"
).split()


def pseudonym(*, numbered: bool = False) -> str:
    """A random name such as "Panda Indigo", one of some 2,600; `numbered`, "Panda Indigo 42", ninety times as many."""
    name = f"{secrets.choice(ANIMALS)} {secrets.choice(SECOND)}"
    return f"{name} {10 + secrets.randbelow(90)}" if numbered else name
