"""The words of the demonstration: a fictional daily, its story, its readers."""

from __future__ import annotations

STORY = """\
On a wet Monday in November 1931, eleven printers and four reporters brought out the first *Daily Lantern* from a
disused rope works by the harbour. They had borrowed the paper, the ink and most of the type. What they did not
borrow was an opinion: nobody owned the Lantern but the people who read it and the people who made it.

Ninety-five years later that is still so. We have no proprietor to please and no shareholder to pay. **That is why a
council that sold a school had to explain itself, why a water company paid its fine, and why four families know what
happened at Marsh Lane.**

## What your gift makes possible

- Two reporters for the courts and councils that nobody else watches any more
- The digital archive of all 29,000 issues, free for every school in the county
- Training for three young journalists from homes where a newspaper was never bought

## What ninety-five thousand pounds is

It is a thousand pounds for every year that a lantern has hung over our door. If we raise more, it goes to the
archive. If we raise less, we start with the reporters.
"""

OTHER_WAYS = """\
**By cheque**, payable to *The Daily Lantern Readers' Society*, to The Appeal, 9 Ropewalk, Port Ellery PE1 9LN.

**By bank transfer** to *Daily Lantern Appeal*, sort code 00-00-00, account 12345678, with the reference `95`.

Gifts by post and bank are entered by hand each working day and move the same total.
"""

TERMS = """\
The Daily Lantern Readers' Society Ltd is a co-operative, not a charity; Gift Aid cannot be claimed. All that is left
after card fees goes to the work named above. Refunds: write to us within 30 days and you get it back, no reasons asked.
We keep your name and address for as long as the law asks of our books, and never pass them on.
"""

GIVEN_NAMES = [
    "Amina",
    "Arthur",
    "Beatrice",
    "Bernard",
    "Carys",
    "Chidi",
    "Clara",
    "Daniel",
    "Dorothy",
    "Edwin",
    "Eilidh",
    "Elena",
    "Farah",
    "Frank",
    "George",
    "Grace",
    "Hamza",
    "Hannah",
    "Harold",
    "Imogen",
    "Isaac",
    "Ivy",
    "Jack",
    "Jasmine",
    "Joan",
    "Kofi",
    "Leila",
    "Leonard",
    "Mabel",
    "Margaret",
    "Martin",
    "Mei",
    "Mohammed",
    "Nadia",
    "Niamh",
    "Oliver",
    "Omar",
    "Patrick",
    "Priya",
    "Rhys",
    "Rosa",
    "Ruth",
    "Samuel",
    "Shanti",
    "Sofia",
    "Stanley",
    "Tariq",
    "Thomas",
    "Una",
    "Violet",
    "Walter",
    "Winifred",
    "Yusuf",
    "Zofia",
]

FAMILY_NAMES = [
    "Abbott",
    "Adeyemi",
    "Ahmed",
    "Baker",
    "Banerjee",
    "Begum",
    "Bennett",
    "Brennan",
    "Campbell",
    "Chen",
    "Clarke",
    "Cohen",
    "Davies",
    "Doyle",
    "Edwards",
    "Evans",
    "Fernandes",
    "Fletcher",
    "Foster",
    "Gallagher",
    "Graham",
    "Griffiths",
    "Hall",
    "Hughes",
    "Hussain",
    "Iqbal",
    "Jackson",
    "Jones",
    "Kaur",
    "Kelly",
    "Khan",
    "Kowalski",
    "Lewis",
    "MacDonald",
    "Marsh",
    "Mensah",
    "Morgan",
    "Murphy",
    "Nowak",
    "O'Connor",
    "Okafor",
    "Owen",
    "Palmer",
    "Patel",
    "Powell",
    "Price",
    "Rahman",
    "Reid",
    "Roberts",
    "Rossi",
    "Shah",
    "Sharma",
    "Singh",
    "Smith",
    "Stewart",
    "Taylor",
    "Thomas",
    "Walker",
    "Ward",
    "Watson",
    "Williams",
    "Wilson",
    "Wright",
    "Young",
]

CREDIT_LINES = (
    "A reader in Port Ellery",
    "Three generations of paper rounds",
    "In memory of Tom, compositor 1958-1991",
    "The night shift at Ellery General",
    "A retired schoolteacher",
    "The Thursday crossword table",
    "Room 12, Harbour Primary School",
    "A reader since 1954",
    "The allotments on Marsh Lane",
    "Somebody who owes you one",
    "Two librarians",
    "A family abroad that still reads it on Sundays",
)

MESSAGES = (
    "Thank you for Marsh Lane. Keep at them.",
    "My grandmother set type for you. This is for her.",
    "The crossword alone is worth it.",
    "Still the only paper that prints the bus times correctly.",
    "Here is to the hundredth.",
    "You came when nobody else did. We have not forgotten.",
)

ARTICLES = (
    "/2026/10/council-sold-school-for-a-pound",
    "/2026/10/water-company-fined-again",
    "/2026/10/the-last-net-maker-of-port-ellery",
    "/2026/11/marsh-lane-inquest",
    "/2026/11/how-we-count-the-votes",
    "/2026/11/ninety-five-years-in-ten-front-pages",
    "/2026/11/who-owns-the-harbour",
    "/2026/11/night-buses-return",
)
