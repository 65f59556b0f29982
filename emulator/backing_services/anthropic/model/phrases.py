"""Phrases by which a message is recognised, in lower case except where a name must be told from a word."""

from __future__ import annotations

import re
from typing import Final

INJECTION: Final = re.compile(
    r"(?:ignore|disregard|forget|override) .{0,40}(?:instruction|rule|prompt|above|previous)|system prompt"
    r"|developer mode"
    r"|you are now|pretend (?:to be|you)|reveal .{0,30}(?:prompt|instructions|rules)|jailbreak|act as (?:a|an|if) "
)
SUPPORT: Final = re.compile(
    r"\b(?:refund|replacement|complain\w*|invoice|damaged|tracking|coupons?|promo codes?|customer (?:care"
    r"|service|support)"
    r"|wrong (?:item|product|order)|payment|charged|(?:my|an?|the) account|password|delivery|deliver(?:ed|y)?"
    r"|shipping"
    r"|shipped|dispatch\w*|courier|parcel|my (?:last |recent )?orders?|(?:cancel|track|change"
    r"|return) .{0,20}(?:order|it|item|product|them)"
    r"|return policy|order (?:status|number|#)|where(?: is|'s) (?:my|the) (?:order|parcel|package)"
    r"|(?:speak|talk) to (?:a |an )?(?:human|person|agent|someone)|human agent|contact (?:you|number))\b"
)
PURCHASE: Final = re.compile(
    r"\b(?:i'?ll take|add (?:it|this|that|them|the)\b.*|add .*(?:cart|basket)|buy (?:it|this|that|them)|check ?out"
    r"|place (?:an|the|my) order)\b"
)
OFF_TOPIC: Final = re.compile(
    r"\b(?:weather|news|joke|poem|song|story|python|javascript|code|president|prime minister|capital of"
    r"|translate|football"
    r"|cricket score|horoscope|what time|world cup|homework|essay|bitcoin|movie|politics)\b"
)
ABOUT: Final = re.compile(
    r"\b(?:who are you|what are you|are you (?:a )?(?:bot|human|real|robot|ai)|what can you do|your name)\b"
)
GREETINGS: Final = frozenset(
    (
        "hi",
        "hello",
        "hey",
        "hiya",
        "yo",
        "namaste",
        "namaskar",
        "good",
        "morning",
        "afternoon",
        "evening",
        "there",
        "greetings",
        "howdy",
        "hii",
    )
)
THANKS: Final = re.compile(r"\b(?:thanks?|thank you|thx|ty|dhanyavad|perfect|awesome|great|cool)\b")
FAREWELL: Final = re.compile(r"^(?:good ?)?(?:bye|goodbye|see you|good night|cya|that'?s all)\b")
AGREEMENT: Final = frozenset(("yes", "yeah", "yep", "sure", "ok", "okay", "fine", "alright", "please"))
REFUSAL: Final = frozenset(("no", "nope", "nah", "never", "mind", "nevermind", "nothing", "stop"))
SMALLTALK: Final = re.compile(
    r"\bhow (?:are|is) (?:you|it going|things)\b|\bhow do you do\b|\bwhat'?s up\b|\bnice to meet\b"
)

CHEAPER: Final = re.compile(
    r"\b(?:cheaper|less expensive|less costly|lower(?:[- ]priced| prices?)?|more affordable|too (?:expensive"
    r"|costly|pricey|much))\b"
)
DEARER: Final = re.compile(
    r"\b(?:more expensive|pricier|more premium|premium ones?|higher[- ]end|better quality|fancier)\b"
)
SIMILAR: Final = re.compile(r"\b(?:more like|similar|(?:something|anything|ones?) like|same as)\b")
MORE: Final = re.compile(r"\b(?:more|others?|another|something else|anything else|different|next)\b")
STOCK: Final = re.compile(r"\b(?:in stock|out of stock|available|availability|how many|left|still have)\b")
STOCK_FILTER: Final = re.compile(
    r"\b(?:only )?(?:(?:that (?:is|are) |which (?:is|are) )?(?:currently )?in[- ]stock"
    r"|available(?: now)?)(?: only| ones| now)?\b"
)
STOCK_QUESTION: Final = re.compile(r"^(?:and |so |but )*(?:is|are|do|does|which|how many|what|check|have)\b|\?\s*$")
DETAILS: Final = re.compile(
    r"\b(?:tell me (?:more )?about|details?|ingredients?|contains?|what(?:'s| is| are) in|made of"
    r"|how much (?:is|does|are)"
    r"|price of|weight|pack size|describe|more about)\b"
)
CHEAPEST: Final = re.compile(r"\b(?:cheapest|lowest[- ]price[ds]?|least expensive)\b")
BEST: Final = re.compile(
    r"\b(?:best(?: rated)?|highest[- ]rated|top[- ]rated|what (?:do|would) you (?:recommend|suggest)"
    r"|which (?:one )?(?:should|would|do you)|your favou?rite)\b"
)
COMPARE: Final = re.compile(r"\b(?:compare|difference between|versus|vs)\b")
CHANGE: Final = re.compile(
    r"^(?:and|but|what about|how about|or|only|just|make (?:it|them)|with|without|no|not|also|ok(?:ay)?"
    r"|actually|instead|any)\b"
)
REFERENCE: Final = re.compile(
    r"\b(first|second|third|fourth|fifth|last|[1-5](?:st|nd|rd|th))\b(?: (?:one|two|option|product))?|(?:#"
    r"|number |no\. ?|option )([1-9])\b"
)
IT: Final = re.compile(r"\b(?:it|this|that|them|they|these|those)\b")
AVOID: Final = re.compile(
    r"\b(?:no|without|avoid(?:ing)?|free (?:of|from)|don't (?:want|like)|allergic to|not containing|doesn't contain)"
    r"(?: any| added)? ([a-z]+(?: (?:oil|sugar|powder|flour|milk|solids|extract)s?)?)"
    r"((?:(?:, [a-z]+)*,? (?:and|or) (?:no )?[a-z]+(?: oil| powder)?)?)"
)
FREE_OF: Final = re.compile(r"\b([a-z]+(?: oil)?)[- ]free\b")
BRAND: Final = re.compile(r"\b(?:by|brand|from)\s+([A-Z][\w'&-]+)")
COUNT: Final = re.compile(
    r"\b(?:top|show(?: me)?|give me|any|suggest|find(?: me)?) (\d{1,2}|two|three|four|five|ten)\b"
)
COUNTS: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}
FRESH: Final = re.compile(r"^(?:show me |find me |i (?:want|need) |got |suggest )?(?:some|something|anything|any)\b")
STOCK_OF: Final = re.compile(r"^(?:is|are) (?:the|your) .*\b(?:in stock|available)\b")
MEASURE: Final = re.compile(r"\b\d+(?:\.\d+)? ?(?:g|gm|gms|grams?|kgs?|ml|l|lit(?:re|er)s?)\b")
