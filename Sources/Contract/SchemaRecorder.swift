import Foundation
import MartletCore

extension Schema {
    /// The schema of a type, and an example of it, read off its own `Codable` conformance.
    ///
    /// The type's `init(from:)` runs on a decoder that notes what it asks for and answers with examples, so that neither macros
    /// nor annotations are needed. Traps when a type cannot be decoded from the examples of its parts: that is a fault of the
    /// declaration, found by whichever test first touches it.
    static func recorded<Value: Decodable>(of type: Value.Type) -> (schema: Schema, example: Value) {
        do {
            return try SchemaRecorder.record(type, within: [])
        } catch {
            preconditionFailure("\(type) cannot be described: \(error)")
        }
    }
}

/// What one run of `init(from:)` asked for.
private final class Recording {
    var shape: Schema.Shape = .anything
    var fields: [Schema.Field] = []
    var isKeyed = false
    var isMap = false
}

private struct SchemaRecorder: Decoder {
    let recording: Recording
    /// The types that are being recorded, to find those that contain themselves.
    let ancestors: [ObjectIdentifier]
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func record<Value: Decodable>(_ type: Value.Type, within ancestors: [ObjectIdentifier]) throws -> (
        schema: Schema, example: Value
    ) {
        if let known = try wellKnown(type) { return known }
        if ancestors.contains(ObjectIdentifier(type)) { throw SelfReference(name: componentName(type)) }
        let recording = Recording()
        let example = try example(of: type, from: SchemaRecorder(recording: recording, ancestors: ancestors + [ObjectIdentifier(type)]))
        if let bounded = type as? any CountBounded.Type, case .array(let element, _) = recording.shape {
            recording.shape = .array(of: element, count: bounded.count)
        }
        if let alternatives = type as? any Alternatives.Type {
            recording.shape = .oneOf(try alternatives.alternatives.map { try record($0, within: ancestors).schema })
        } else if recording.isKeyed, !recording.isMap {
            recording.shape = .object(.init(name: componentName(type), fields: recording.fields))
        }
        return (Schema(recording.shape), example)
    }

    /// An array of what is being recorded has no elements in the example: that is where the recursion ends.
    private static func example<Value: Decodable>(of type: Value.Type, from recorder: SchemaRecorder) throws -> Value {
        do {
            return try Value(from: recorder)
        } catch let reference as SelfReference {
            guard case .array = recorder.recording.shape, let empty = [Never]() as? Value else { throw reference }
            return empty
        }
    }

    private static func wellKnown<Value: Decodable>(_ type: Value.Type) throws -> (Schema, Value)? {
        func known(_ schema: Schema, _ example: Any) -> (Schema, Value)? { (example as? Value).map { (schema, $0) } }
        switch type {
        case let parsed as any Parsed.Type: return try parsed.describe().flatMap { known($0.schema, $0.example) }
        case let choice as any (CaseIterable & RawRepresentable).Type: return choice.describe().flatMap { known($0.schema, $0.example) }
        case is Date.Type: return known(.string(format: .dateTime), Date(timeIntervalSince1970: 1_768_469_400))
        case is UUID.Type: return known(.string(format: .uuid), exampleUUID)
        case is JSON.Type: return known(Schema(.anything), JSON.object([]))
        default: return nil
        }
    }

    private static func componentName(_ type: any Any.Type) -> String {
        String(describing: type).replacing("<", with: "Of").replacing(">", with: "").replacing(", ", with: "And")
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        recording.isKeyed = true
        recording.isMap = Key.isData
        return KeyedDecodingContainer(KeyedRecorder(recorder: self))
    }
    func unkeyedContainer() -> any UnkeyedDecodingContainer { ElementRecorder(recorder: self) }
    func singleValueContainer() -> any SingleValueDecodingContainer { ScalarRecorder(recorder: self) }
}

private let exampleUUID = UUID(uuid: (0x01, 0x9B, 0xC0, 0x5E, 0x9A, 0x40, 0x7C, 0x3D, 0x8E, 0x11, 0x5F, 0x0A, 0x4B, 0x7D, 0x22, 0x91))

private struct SelfReference: Error {
    let name: String
}

private struct KeyedRecorder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: SchemaRecorder
    var codingPath: [any CodingKey] { [] }
    /// A dictionary asks which names there are: one, for the example.
    var allKeys: [Key] { recorder.recording.isMap ? [Key(stringValue: "name")].compactMap { $0 } : [] }

    private func note(_ key: Key, _ schema: Schema, isRequired: Bool) {
        if recorder.recording.isMap { recorder.recording.shape = .map(of: schema) }
        recorder.recording.fields.append(.init(name: WireJSON.snakeCase(key.stringValue), schema: schema, isRequired: isRequired))
    }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        if let change = type as? any AbsenceRepresentable.Type, let absent = change.absent as? Value {
            var schema = try describe(change.presentType)
            schema.isNullable = true
            note(key, schema, isRequired: false)
            return absent
        }
        let recorded = try SchemaRecorder.record(type, within: recorder.ancestors)
        note(key, recorded.schema, isRequired: true)
        return recorded.example
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        do {
            let recorded = try SchemaRecorder.record(type, within: recorder.ancestors)
            note(key, recorded.schema, isRequired: false)
            return recorded.example
        } catch let reference as SelfReference {
            note(key, Schema(.reference(reference.name)), isRequired: false)
            return nil
        }
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try present(type, key) }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try present(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try present(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try present(type, key) }

    private func present<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value? {
        let recorded = try SchemaRecorder.record(type, within: recorder.ancestors)
        note(key, recorded.schema, isRequired: false)
        return recorded.example
    }

    private func describe<Value: Decodable>(_ type: Value.Type) throws -> Schema {
        try SchemaRecorder.record(type, within: recorder.ancestors).schema
    }

    private func nested(_ key: Key) -> SchemaRecorder {
        note(key, Schema(.anything), isRequired: true)
        return SchemaRecorder(recording: Recording(), ancestors: recorder.ancestors)
    }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedDecodingContainer<Nested> {
        nested(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer { nested(key).unkeyedContainer() }
    func superDecoder() -> any Decoder { recorder }
    func superDecoder(forKey key: Key) -> any Decoder { nested(key) }
}

private struct ElementRecorder: UnkeyedDecodingContainer {
    let recorder: SchemaRecorder
    var codingPath: [any CodingKey] { [] }
    var count: Int? { 1 }
    var currentIndex = 0
    var isAtEnd: Bool { currentIndex > 0 }

    mutating func decodeNil() -> Bool { false }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        currentIndex += 1
        do {
            let recorded = try SchemaRecorder.record(type, within: recorder.ancestors)
            recorder.recording.shape = .array(of: recorded.schema, count: 0...Int.max)
            return recorded.example
        } catch let reference as SelfReference {
            recorder.recording.shape = .array(of: Schema(.reference(reference.name)), count: 0...Int.max)
            throw reference
        }
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedDecodingContainer<Nested> {
        recorder.container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { recorder.unkeyedContainer() }
    mutating func superDecoder() -> any Decoder { recorder }
}

private struct ScalarRecorder: SingleValueDecodingContainer {
    let recorder: SchemaRecorder
    var codingPath: [any CodingKey] { [] }

    private func note<Value>(_ shape: Schema.Shape, _ example: Value) -> Value {
        recorder.recording.shape = shape
        return example
    }

    func decodeNil() -> Bool { false }
    func decode(_ type: Bool.Type) -> Bool { note(.boolean, true) }
    func decode(_ type: String.Type) -> String { note(.string(.init()), "text") }
    func decode(_ type: Double.Type) -> Double { note(.number, 0.5) }
    func decode(_ type: Float.Type) -> Float { note(.number, 0.5) }
    func decode(_ type: Int.Type) -> Int { note(.integer(.min ... .max), 1) }
    func decode(_ type: Int8.Type) -> Int8 { note(.integer(-128...127), 1) }
    func decode(_ type: Int16.Type) -> Int16 { note(.integer(-32_768...32_767), 1) }
    func decode(_ type: Int32.Type) -> Int32 { note(.integer(-2_147_483_648...2_147_483_647), 1) }
    func decode(_ type: Int64.Type) -> Int64 { note(.integer(.min ... .max), 1) }
    func decode(_ type: UInt.Type) -> UInt { note(.integer(0 ... .max), 1) }
    func decode(_ type: UInt8.Type) -> UInt8 { note(.integer(0...255), 1) }
    func decode(_ type: UInt16.Type) -> UInt16 { note(.integer(0...65_535), 1) }
    func decode(_ type: UInt32.Type) -> UInt32 { note(.integer(0...4_294_967_295), 1) }
    func decode(_ type: UInt64.Type) -> UInt64 { note(.integer(0 ... .max), 1) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let recorded = try SchemaRecorder.record(type, within: recorder.ancestors)
        recorder.recording.shape = recorded.schema.shape
        return recorded.example
    }
}

// MARK: Types that describe themselves

extension Parsed {
    static func describe() throws -> (schema: Schema, example: Any)? {
        var schema = self.schema
        schema.declaredExample = try WireJSON.parse(WireJSON.encode(example))
        schema.check = { json in
            do throws(Fault) {
                guard let raw = raw(from: json) else { return Fault(code: "wrong_type", message: "This has the wrong type.") }
                _ = try Self(raw)
                return nil
            } catch {
                return error
            }
        }
        return (schema, try Self(example))
    }

    private static func raw(from json: JSON) -> Raw? {
        (json.text as? Raw) ?? (json.integer as? Raw) ?? (json.double as? Raw)
    }
}

extension CaseIterable where Self: RawRepresentable {
    static func describe() -> (schema: Schema, example: Any)? {
        let names = allCases.compactMap { $0.rawValue as? String }
        guard names.count == allCases.count, let first = allCases.first else { return nil }
        return (.string(choices: names), first)
    }
}
