"""What a person does in a browser."""

import re

import httpx


class Browser(httpx.Client):
    """Follows redirects, and keeps cookies by host, as browsers do."""

    def __init__(self, base_url):
        super().__init__(follow_redirects=True, base_url=base_url, timeout=10)

    def submit(self, page, **fields):
        """Fills in the page's form, and sends it as browsers do, with the page's origin."""
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)[1]
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page.text))
        origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
        return self.post(page.url.join(action), data=hidden | fields, headers={"Origin": origin})

    def ask_for_code(self, phone="+4526091045", path="/sign-in"):
        return self.submit(self.get(path), phone=phone)

    def sign_in(self, provider, **how):
        page = self.ask_for_code(**how)
        return self.submit(page, code=provider.sent[-1][2])

    def answer_of_logto(self, provider):
        """The address of the callback, not yet visited."""
        page = self.ask_for_code()
        self.follow_redirects = False
        location = self.submit(page, code=provider.sent[-1][2]).headers["Location"]
        self.follow_redirects = True
        return location
