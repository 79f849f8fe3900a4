"""The words that made-up prompts are composed of: `{slots}` in sentences take values from SLOTS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SLOTS: Mapping[str, Sequence[str]] = {
    "role": (
        "senior backend engineer", "patient physics teacher", "technical writer", "data analyst at a retail chain",
        "hiring manager", "travel planner", "product manager of a mobile bank", "customer-support lead",
        "nutritionist", "site reliability engineer", "copy editor", "lawyer for small companies", "Spanish tutor",
        "game designer", "security reviewer", "librarian", "marketing strategist", "database administrator",
        "UX researcher", "mechanical engineer", "screenwriter", "maintainer of an open-source library", "statistician",
        "project manager in construction",
    ),
    "thing": (
        "a REST endpoint for invoices", "a weekly meal plan", "a landing page for a bakery", "an onboarding e-mail",
        "a quarterly sales report", "a SQL query over three tables", "a lesson on fractions", "a privacy notice",
        "a release announcement", "a short story set in a lighthouse", "a job advert for a data engineer",
        "a Terraform module for a VPC", "a test plan for a payment form", "a summary of a research paper",
        "a five-day itinerary for Lisbon", "a refactoring of a legacy parser", "a code review of a pull request",
        "an apology to a customer whose parcel was lost", "a regular expression for order numbers",
        "a marketing plan for a podcast", "a risk register for a data migration", "a glossary for new colleagues",
        "a dashboard of churn by cohort", "a speech for a retirement party",
    ),
    "audience": (
        "people new to the subject", "experts who have little time", "children aged ten to twelve",
        "engineers of another team", "the board of directors", "customers who are already annoyed",
        "students before an exam", "translators", "users of screen readers", "non-native speakers",
        "investors", "the on-call engineer at three in the morning",
    ),
    "tone": (
        "plain and friendly", "formal", "dry but precise", "encouraging", "neutral", "brief, almost telegraphic",
        "warm without flattery", "confident", "playful", "matter-of-fact",
    ),
    "format": (
        "Markdown with second-level headings", "a JSON object with the keys title, body and tags", "a numbered list",
        "a table with three columns", "at most 200 words of prose", "bullet points of one line each",
        "a unified diff", "YAML", "an e-mail with a subject line", "one paragraph and a list of sources",
    ),
    "limit": (
        "no more than five steps", "under 150 words", "only the standard library", "no adjectives of praise",
        "two examples, one of them an edge case", "prices in euros (€)", "dates as YYYY-MM-DD",
        "a budget of ${budget} a month", "one screen on a phone", "facts that the text itself supports",
    ),
    "field": (
        "billing", "logistics", "public health", "e-commerce", "education", "renewable energy", "insurance",
        "agriculture", "machine learning", "tourism", "municipal administration", "astronomy", "music", "chemistry",
    ),
    "input": (
        "the log below", "the attached CSV", "{{document}}", "my notes", "the following conversation",
        "${user_input}", "the diff in the next message", "the table of last month", "the transcript",
        "the customer's message",
    ),
    "risk": (
        "inventing figures", "repeating the question", "skipping the error case", "mixing units",
        "using jargon without explaining it", "assuming an American reader", "leaking personal data",
        "ignoring time zones", "writing more than was asked", "changing names of public functions",
    ),
    "name": (
        "Zoë", "Mr. Nakamura", "Łukasz", "Dr. O'Brien", "Amélie", "Søren", "María José", "李娜", "Nguyễn Văn An",
        "Olivia", "Jürgen", "Aïcha",
    ),
}  # fmt: skip

OPENINGS: Sequence[str] = (
    "You are a {role}. Write {thing} for {audience}.",
    "Act as a {role} with ten years in {field}. I need {thing}.",
    "Help me with {thing}. The readers are {audience}, the tone should be {tone}.",
    "I want you to act as a {role}. I will give you {input}, and you will turn it into {thing}.",
    "Write {thing}.",
    "Please improve {thing} that {name} drafted yesterday; it is meant for {audience}.",
    "As a {role}, explain how one makes {thing}, in {format}.",
    "Create {thing} from {input}.",
)
CONTEXTS: Sequence[str] = (
    "We work in {field}, and most of our readers are {audience}. An earlier attempt failed because of {risk}, so take "
    "care there. {name} will review the result before it goes out.",
    "Background: our team took over this task from {name} last month. There is {input}, and there is a style guide "
    "that asks for a tone that is {tone}. Nothing else is written down.",
    "The company is active in {field}. It sells to {audience}. Last year somebody made {thing}, which may serve as a "
    "model, but it ignored {limit}.",
    "Context matters here: {audience} will read this on a small screen, often in a hurry. Keep {risk} out of it, and "
    "say openly where {input} is not enough for an answer.",
    "Assume that I know the basics of {field}, but not its vocabulary. When a term is unavoidable, explain it once.",
    "This is the third version. The first one suffered from {risk}; the second one was fine for {audience}, but not "
    "for {name}, who expected {format}.",
)
REQUIREMENTS: Sequence[str] = (
    "Start with a one-sentence summary for {audience}.",
    "Keep to {limit}.",
    "Avoid {risk} at all costs.",
    "Use {format} for the answer, nothing around it.",
    "Ask {name} up to three questions if {input} leaves something open.",
    "Show your reasoning step by step before the final answer.",
    "Mention at least one alternative that is common in {field}, and why it was not chosen.",
    "Quote {input} where a claim depends on it.",
    "The tone is {tone}; no exclamation marks.",
    "List the assumptions that you made about {audience}.",
    "Finish with the next action, who does it and by when.",
    "Treat {limit} as a hard limit, and say so if it can't be kept.",
    "Give two examples from {field}.",
    "Point out where {input} contradicts itself.",
    "If something fails, describe the failure first and the cause second.",
)
CLOSINGS: Sequence[str] = (
    "Answer in {format}.",
    "Take a deep breath and work through it step by step.",
    "Only return the result, no comments.",
    "My first request is: {thing}.",
    "Remember: {limit}. Thank you!",
    "Variables:\n- ${{audience}}: {audience}\n- ${{tone}}: {tone}",
    "Input:\n\"\"\"\n{input}\n\"\"\"",
    "Before you answer, check the result for {risk}.",
)  # fmt: skip
CODE: Sequence[str] = (
    "```python\ndef total(rows):\n    amount = 0\n    for row in rows:\n        if row['status'] != 'cancelled':\n"
    "            amount += row['price'] * row['quantity']\n    return round(amount, 2)\n```",
    "```sql\nSELECT c.name, COUNT(*) AS orders, SUM(o.total) AS revenue\nFROM customers c\nJOIN orders o"
    " ON o.customer_id = c.id\nWHERE o.created_at >= '2024-01-01'\nGROUP BY c.name\nHAVING COUNT(*) > 3"
    "\nORDER BY revenue DESC;\n```",
    '```json\n{"order": 1042, "items": [{"sku": "A-17", "quantity": 2}, {"sku": "B-3", "quantity": 1}],'
    ' "note": "leave at the door"}\n```',
    "```\n2024-03-02 04:11:09 ERROR worker-3 timeout after 30s while calling /v1/charges (attempt 3 of 3)\n"
    "2024-03-02 04:11:09 INFO  worker-3 job 88123 goes to the dead-letter queue\n```",
)
ADDED_BY_OPTIMISER: Sequence[str] = (
    "## Role\nYou are a {role} with a record of work in {field}.",
    "## Task\nProduce {thing} for {audience}.",
    "## Constraints\n- Keep to {limit}.\n- Avoid {risk}.",
    "## Output format\nAnswer as {format}.",
    "## Steps\n1. Read {input}.\n2. Collect what matters to {audience}.\n3. Draft.\n4. Check for {risk}.",
    "## Example\nInput: {input}\nOutput: {thing}, in a tone that is {tone}.",
)
WEAKNESSES: Sequence[str] = (
    "vague audience", "no output format", "no example", "contradictory constraints", "missing context",
    "no criteria of success", "too long", "ambiguous pronouns",
)  # fmt: skip
STRENGTHS: Sequence[str] = ("clear role", "concrete task", "good example", "explicit limits", "names its input")
CHANGES: Sequence[str] = (
    "stated the role", "added an output format", "split the task into steps", "moved constraints to the end",
    "removed repetitions", "added an example", "named the audience",
)  # fmt: skip
VERDICTS: Sequence[str] = (
    "Clearer than the original.", "Better structure, the same intent.", "A little longer, much more specific.",
    "No real gain.", "The role helps; the example could be shorter.",
)  # fmt: skip
NOTES: Sequence[str] = (
    "The original left the audience open; the new text names it.",
    "Kept the author's wording where it was precise enough.",
    "The order of sections follows the order in which the model needs them.",
)
REASONS: Sequence[str] = (
    "The task has several dependent steps.", "The answer has to be parsed by a program.",
    "The prompt lacks background that the model needs.", "The tone depends on who speaks.",
)  # fmt: skip
ERRORS: Sequence[str] = (
    "The model's answer was not valid JSON", "Rate limit reached after 3 attempts", "Timed out after 120 s",
)  # fmt: skip
TAGS: Sequence[str] = (
    "draft", "code", "writing", "multilingual", "persona", "reviewed", "customer", "internal", "wip", "日本語",
    "to translate", "v2",
)  # fmt: skip
TASK_TYPES: Sequence[str] = ("coding", "writing", "analysis", "creative", "general", "reasoning", "extraction")
COMPLEXITIES: Sequence[str] = ("simple", "moderate", "complex")
MODELS: Sequence[str] = ("model-a", "model-b", "model-b-mini", "model-c")
PROJECT_KINDS: Sequence[str] = (
    "Support", "Marketing", "Onboarding", "Reports", "Code review", "Lessons", "Recruiting", "Café & Küche", "Research",
    "Newsletter",
)  # fmt: skip
PROJECT_PLACES: Sequence[str] = (
    "Berlin", "Lisbon", "Kraków", "Osaka", "Toronto", "Nairobi", "São Paulo", "Lyon", "Leeds", "Austin", "Pune",
    "Tromsø", "Seoul", "Quito", "Perth", "Graz", "Bergen", "Accra", "Zürich", "Hanoi",
)  # fmt: skip
#: What older releases wrote, beside the canonical names.
STRATEGIES: Sequence[str] = (
    "co-star", "risen", "chain-of-thought", "few-shot-scaffolding", "role-task-format", "structured-output",
    "step-by-step", "constraint-injection", "context-enrichment", "persona-assignment",
)  # fmt: skip
ALIASES: Sequence[str] = ("few-shot", "role-based", "constraint-focused", "structured-enhancement")
