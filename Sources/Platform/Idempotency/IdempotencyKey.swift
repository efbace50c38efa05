// MartletIdempotency: a call that is repeated with its key happens once, and is answered the same.

import MartletContract
