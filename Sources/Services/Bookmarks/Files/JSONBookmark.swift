import Foundation
import MartletCore

/// One element of the JSON array that can be imported; reading it never fails.
///
/// A field of the wrong type is left out and named in ``faults``, so that one bad row costs neither the rows around it nor its own good
/// fields. Unknown fields are ignored. An element that is no object has the single fault `not_an_object`. Nothing is validated beyond
/// types: the link is judged by ``LinkIdentity``, which finds a missing one empty.
struct JSONBookmark: Decodable, Sendable {
    private(set) var url = ""
    private(set) var title = ""
    /// `notes`, else `description`.
    private(set) var notes: String?
    private(set) var category: String?
    /// An array of strings, or one string in which commas separate the tags.
    private(set) var tags: [String] = []
    /// `saved_at`, else `add_date`: RFC 3339 or Unix seconds.
    private(set) var addedAt: Date?
    /// Everything that was wrong; the pointers are relative to the element.
    private(set) var faults: [Fault] = []

    private enum CodingKeys: String, CodingKey {
        case url, title, notes, description, category, tags
        case savedAt = "saved_at"
        case addDate = "add_date"
    }

    init(from decoder: any Decoder) {
        do {
            read(try decoder.container(keyedBy: CodingKeys.self))
        } catch {
            faults = [Fault(code: "not_an_object", message: "A bookmark must be an object.")]
        }
    }

    private mutating func read(_ fields: KeyedDecodingContainer<CodingKeys>) {
        url = text(.url, in: fields) ?? ""
        title = text(.title, in: fields) ?? ""
        let description = text(.description, in: fields)
        notes = text(.notes, in: fields) ?? description
        category = text(.category, in: fields)
        tags = readTags(fields)
        let addDate = date(.addDate, in: fields)
        addedAt = date(.savedAt, in: fields) ?? addDate
    }

    private mutating func text(_ key: CodingKeys, in fields: KeyedDecodingContainer<CodingKeys>) -> String? {
        guard isPresent(key, in: fields) else { return nil }
        guard let text = attempt({ try fields.decode(String.self, forKey: key) }) else { return refuse(key, "Must be a text.") }
        return text
    }

    private mutating func readTags(_ fields: KeyedDecodingContainer<CodingKeys>) -> [String] {
        guard isPresent(.tags, in: fields) else { return [] }
        if let text = attempt({ try fields.decode(String.self, forKey: .tags) }) {
            return NetscapeTags.names(in: text, separatedByWhitespace: false)
        }
        guard let tags = attempt({ try fields.decode([String].self, forKey: .tags) }) else {
            return refuse(.tags, "Must be an array of texts, or one text with commas between the tags.") ?? []
        }
        return NetscapeTags.clean(tags)
    }

    private mutating func date(_ key: CodingKeys, in fields: KeyedDecodingContainer<CodingKeys>) -> Date? {
        guard isPresent(key, in: fields) else { return nil }
        let written = attempt { try fields.decode(String.self, forKey: key) }
        let number = written == nil ? attempt { try fields.decode(Double.self, forKey: key) } : nil
        guard let date = written.flatMap(AddDate.date) ?? number.flatMap(AddDate.date(unixTime:)) else {
            return refuse(key, "Must be a time such as 2026-01-31T09:30:00Z, or Unix seconds.")
        }
        return date
    }

    private mutating func refuse<Value>(_ key: CodingKeys, _ message: String) -> Value? {
        faults.append(Fault(pointer: "/" + key.rawValue, code: "wrong_type", message: message))
        return nil
    }

    /// Whether the field is there and not `null`; asked of an unreadable one, yes, so that reading it names the fault.
    private func isPresent(_ key: CodingKeys, in fields: KeyedDecodingContainer<CodingKeys>) -> Bool {
        fields.contains(key) && attempt { try fields.decodeNil(forKey: key) } != true
    }
}

/// `nil` when the value has another type: the bytes are in memory, so no outage can hide here.
private func attempt<Value>(_ decode: () throws -> Value) -> Value? {
    do {
        return try decode()
    } catch {
        return nil
    }
}
