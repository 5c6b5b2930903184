"""QR codes on pages: one SVG path on white, with the quiet zone that readers need."""

from meterai.pdf.qr import qr


def qr_svg(text: str) -> str:
    """The symbol as an SVG picture."""
    code = qr(text)
    side = code.size + 8
    runs = []
    for y, row in enumerate(code.rows):
        for x, dark in enumerate(row):
            if dark:
                runs.append(f"M{x + 4} {y + 4}h1v1h-1z")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{"".join(runs)}" fill="#000"/></svg>'
    )
