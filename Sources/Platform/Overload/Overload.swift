// MartletOverload: how many requests are worked on at a time, and who is refused first when there are too many.
