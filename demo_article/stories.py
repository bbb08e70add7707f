"""The newspaper's six stories, written for the demonstration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Story:
    """One article: its section, its words, who wrote them."""

    section: str
    headline: str
    standfirst: str
    author: str
    paragraphs: tuple[str, ...]


STORIES = (
    Story(
        "The valley",
        "The last signalman at Ottersby hands over the lamp",
        "For 41 years Edwin Marsh set the points by hand. On Friday the line goes quiet, and the village with it.",
        "Nora Whitcombe",
        (
            "The box stands where it has stood since 1903, on brick legs beside the down line, with nine levers and one kettle. Edwin Marsh climbs the fourteen steps as he has every morning since he was nineteen, and puts his hand on the frame before he puts on the light.",
            '"You listen first," he says. "The wires hum when the weather turns." Below him the rails run straight to the river and then, in a long bend, out of sight.',
            "From Friday the points will be set from a screen 60 miles away. The railway says the change will halve delays; the parish council says it was told in a letter, after the decision. Both may be right, and neither has asked the man with the levers.",
            "Mr Marsh keeps a ledger that nobody requires. It lists each train that stopped for somebody running, each calf on the line, each night the fog came up from the water meadows. There are 26 volumes. The county archive has asked for them; he has said he will think about it.",
            "On the last evening the 18.04 will stop at Ottersby although it is not booked to. The driver, who learned the road from Mr Marsh, has put in the request himself.",
            "After that the lamp goes to the museum at Hale, and its keeper goes, he says, to the allotment. The kettle is staying where it is.",
        ),
    ),
    Story(
        "Council",
        "Where the flood money went, line by line",
        "We asked for 312 invoices. It took eleven months, two refusals and one ruling. This is what they show.",
        "Idris Pell",
        (
            "When the Arrow came over its banks three winters ago, the county set aside 4.2 million for the eleven parishes downstream. The last of it was spent in June.",
            "Until now nobody outside the finance office could say on what. The Lantern asked in writing; the answer was no. We asked again, and then we asked the commissioner, who agreed with us.",
            "Of each pound, 61 pence went into walls, sluices and drains that anyone can walk along and touch. Another 22 went on surveys, of which four covered the same mile of river.",
            "The rest is harder to follow. Nine invoices name a street that does not exist. The council says it was a typing error, repeated; the contractor did not answer our letters.",
            "Every document is on our site, searchable by parish. Residents of Lower Hale have already found a pump on paper that they cannot find in the ground.",
            "The audit committee meets on Thursday at six. It is open to the public, and for once there are chairs for all of it.",
        ),
    ),
    Story(
        "Health",
        "A night with the only ambulance for 90 square miles",
        "Two paramedics, one vehicle, and a map on which the nearest hospital is always an hour away.",
        "Ada Fenwick",
        (
            "At ten past two the radio says a name that both of them know. In a valley of 6,000 people it usually does.",
            "Priya Nair drives; Tom Askew reads the road aloud, gate by gate, because the satellite does not know which of them are locked at night.",
            "They have been a crew for six years. Until last spring there were two crews. The trust calls the difference an efficiency, and its own figures call it nineteen minutes.",
            "Nineteen minutes is the average. On the night we rode with them the shortest wait was eight and the longest was 74, for a woman of 81 who had fallen beside her own telephone.",
            "She apologised to them for the trouble. Mr Askew wrote that down afterwards, in the margin of the form, where there is no box for it.",
            "The trust will decide in January. The crew will be on shift that day, and so somebody else will have to go and speak.",
        ),
    ),
    Story(
        "Schools",
        "The school with eleven pupils and a waiting list",
        "It was to close for want of children. Then the children's parents began to ring from the town.",
        "Nora Whitcombe",
        (
            "Morning assembly at Scar Top takes place around the stove. There is room for everybody, and there would be room for nine more.",
            "Two years ago the county put the school on its list. The reasons were sound: a roof, a boiler, eleven pupils.",
            "What happened next is disputed only in its order. The head began to teach outdoors on Wednesdays; a grandparent wrote about it; the telephone rang.",
            "There are now 23 names on a waiting list that the county does not recognise, because a school on the other list may not have one.",
            "The governors have offered to pay for the roof. The county has replied that this would set a precedent. It did not say of what.",
            "On Wednesday the lesson was rivers. It was held in one.",
        ),
    ),
    Story(
        "Farming",
        "They bought back the hill their grandparents lost",
        "Fourteen families, 300 acres and a loan that no bank would make.",
        "Idris Pell",
        (
            "The sale was agreed at the kitchen table where, in 1952, the first one had been.",
            "Ravens Fell had passed through four companies since, two of them abroad. None had grazed it. One had proposed to cover it with spruce.",
            "The families put in what they had. The rest came from 900 people who lent 100 each, at two per cent, to a society with a biscuit tin for an office.",
            "The first lambs went up in April. The curlews, which had left with the sheep, came back within the month; nobody had promised that.",
            "There is a lesson in it, says the society's secretary, but she would rather people came and saw the walls.",
            "They have mended two miles so far. The tin now has a lid.",
        ),
    ),
    Story(
        "Arts",
        "The cinema that would not go dark",
        "The Regal has been sold three times and has never missed a Saturday.",
        "Ada Fenwick",
        (
            "The projectionist is 17. The one before him was 74, and is sitting in row F to see that it is done properly.",
            "The Regal opened in the year this newspaper did, 1931, and has had as many owners since as there are seats in its balcony, or so the joke goes.",
            "When the last of them locked the doors the audience queued outside anyway. Somebody had a sheet and somebody a generator, and the film was shown on the wall of the bank.",
            "That was nine years ago. The bank has closed. The Regal has not.",
            "It is owned now by 412 people, who each have one vote on what to show and never agree. The popcorn is a separate committee.",
            "Tonight there is a full house and a small fault in the second reel. Nobody leaves.",
        ),
    ),
)
