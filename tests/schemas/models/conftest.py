"""The tests of this folder import the package of a service that can do everything."""

import whole_package  # noqa: F401
