import Foundation
import Testing

/// A moment as `2026-03-29T01:00` or `2026-03-29T01:00:30`, in UTC.
func moment(_ text: String) throws -> Date {
    try Date(text.count == 16 ? text + ":00Z" : text + "Z", strategy: .iso8601)
}

func zone(_ name: String) throws -> TimeZone {
    try #require(TimeZone(identifier: name))
}
