"""An app in the page around it, for tests that look into both."""

from playwright.async_api import Frame, Page


async def frame_in(page: Page) -> Frame:
    element = await page.locator("iframe").element_handle()
    frame = await element.content_frame() if element else None
    assert frame is not None
    await frame.wait_for_load_state()
    return frame
