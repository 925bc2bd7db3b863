"""Draws the figures of tools/bench as one SVG: a bar for each, those of one unit and module against each other."""

import html

WIDTH, LEFT, RIGHT, LINE = 1100, 430, 330, 24
INK, PALE, GOOD, BAD, PLAIN = "#22303c", "#6b7a86", "#3b8f5a", "#c0392b", "#4a78a8"


def text(x, y, words, colour=INK, anchor="start", size=13, weight="normal"):
    return (f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
            f'font-weight="{weight}">{html.escape(words)}</text>')


def shown(value, unit):
    digits = 0 if value >= 1000 or float(value).is_integer() else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def draw(lines, about):
    groups = {}
    for line in lines:
        if line["figure"] is not None:
            groups.setdefault((line["module"], line["unit"]), []).append(line)
    parts, y = [], 64
    for (module, unit), members in groups.items():
        parts.append(text(16, y, f"{module}, {unit}" if unit else module, weight="bold"))
        y += LINE
        most = max(line["figure"] for line in members) or 1
        for line in members:
            length = max((WIDTH - LEFT - RIGHT) * line["figure"] / most, 1)
            colour = {None: PLAIN, True: GOOD, False: BAD}[line["ok"]]
            parts.append(text(LEFT - 8, y + 4, line["what"], anchor="end", size=11))
            parts.append(f'<rect x="{LEFT}" y="{y - 8}" width="{length:.1f}" height="15" fill="{colour}"/>')
            words = shown(line["figure"], unit)
            if line["ratio"] is not None:
                words += f"  ({line['ratio']:.2f} times)"
            parts.append(text(LEFT + length + 6, y + 4, words, size=12))
            if line["bar"]:
                parts.append(text(WIDTH - 12, y + 4, line["bar"], PALE, "end", 10))
            y += LINE
        y += LINE // 2
    title = text(16, 26, "reelbatch, measured", size=18, weight="bold")
    where = text(16, 44, "{cpu}, {cores} cores, Linux {kernel}, {at}".format(**about), PALE, size=11)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>{title}{where}'
            + "".join(parts) + "</svg>\n")
