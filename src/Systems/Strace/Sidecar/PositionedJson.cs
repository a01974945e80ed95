using System.Text.Json;

namespace ShmCheck.Systems.Strace;

/// <summary>A JSON value that knows where it stands.</summary>
internal sealed class PositionedJson
{
    private PositionedJson(JsonTokenType kind, long offset)
    {
        Kind = kind;
        Offset = offset;
    }

    /// <summary>StartObject, StartArray, String, Number, True, False or Null.</summary>
    public JsonTokenType Kind { get; }

    /// <summary>Index of its first byte.</summary>
    public long Offset { get; }

    /// <summary>Text of a string; digits of a number; null of anything else.</summary>
    public string? Text { get; private init; }

    /// <summary>Members of an object; of several with one name the last.</summary>
    public Dictionary<string, PositionedJson> Members { get; } = [];

    /// <summary>Items of an array.</summary>
    public List<PositionedJson> Items { get; } = [];

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">UTF-8, with or without a byte order mark.</param>
    /// <param name="name">Name for errors.</param>
    public static PositionedJson Read(ReadOnlySpan<byte> bytes, string name)
    {
        ReadOnlySpan<byte> mark = [0xef, 0xbb, 0xbf];
        bytes = bytes.StartsWith(mark) ? bytes[mark.Length..] : bytes;
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions
        {
            AllowTrailingCommas = true,
            CommentHandling = JsonCommentHandling.Skip,
        });
        try
        {
            reader.Read();
            PositionedJson value = ReadValue(ref reader);
            while (reader.Read())
            {
            }

            return value;
        }
        catch (JsonException error)
        {
            throw new StraceFormatException(new StraceFormatError(
                name, (int)(error.LineNumber ?? 0) + 1, (int)(error.BytePositionInLine ?? 0) + 1,
                "JSON"));
        }
        catch (InvalidOperationException)
        {
            // A string that is no valid UTF-8.
            throw ErrorAt(bytes, reader.TokenStartIndex, name, "a string in UTF-8");
        }
    }

    /// <summary>An error at a byte of a document.</summary>
    public static StraceFormatException ErrorAt(
        ReadOnlySpan<byte> bytes, long offset, string name, string expected)
    {
        ReadOnlySpan<byte> before = bytes[..(int)Math.Clamp(offset, 0, bytes.Length)];
        int line = before.Count((byte)'\n') + 1;
        int column = before.Length - (before.LastIndexOf((byte)'\n') + 1) + 1;
        return new StraceFormatException(new StraceFormatError(name, line, column, expected));
    }

    private static PositionedJson ReadValue(ref Utf8JsonReader reader)
    {
        long offset = reader.TokenStartIndex;
        JsonTokenType kind = reader.TokenType;
        string? text = kind switch
        {
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
            _ => null,
        };
        var value = new PositionedJson(kind, offset) { Text = text };
        if (kind == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                string member = reader.GetString() ?? "";
                reader.Read();
                value.Members[member] = ReadValue(ref reader);
            }
        }
        else if (kind == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                value.Items.Add(ReadValue(ref reader));
            }
        }

        return value;
    }
}
