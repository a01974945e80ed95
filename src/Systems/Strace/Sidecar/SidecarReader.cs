using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Reads sidecars: tolerant of what is missing and of what is more, exact about where
/// something is wrong.</summary>
internal readonly ref struct SidecarReader
{
    private const string Columns =
        "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap";

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly string _name;
    private readonly PositionedJson _root;

    private SidecarReader(ReadOnlySpan<byte> bytes, string name)
    {
        _bytes = bytes;
        _name = name;
        _root = PositionedJson.Read(bytes, name);
        if (_root.Kind != JsonTokenType.StartObject)
        {
            throw Error(_root, "an object");
        }
    }

    /// <summary>Reads a sidecar.</summary>
    public static StraceSidecar Read(ReadOnlySpan<byte> bytes, string name) =>
        new SidecarReader(bytes, name).Read();

    private StraceSidecar Read()
    {
        string? command = Text("strace") ?? Text("strace_command");
        ImmutableDictionary<string, string> settings = Settings("initial");
        return new StraceSidecar
        {
            File = _name,
            Id = Text("id"),
            Program = Text("program"),
            Version = Text("version"),
            Command = Text("command"),
            Strace = command is null ? null : CommandLineReader.Read(command),
            ExitStatus = Text("exit_status"),
            IpcNamespace = Text("ipc_namespace"),
            Note = Text("note"),
            Kernel = Text("kernel"),
            Architecture = Text("arch"),
            Verdict = Text("test_verdict"),
            Seconds = double.TryParse(
                Text("seconds"), CultureInfo.InvariantCulture, out double length) ? length : null,
            PageSize = PageSize(),
            Settings = settings,
            Numbers = NumbersOf(settings),
            Changed = Changed(),
            SegmentsBefore = Segments("segments_before"),
            SegmentsAfter = Segments("segments_after"),
            ShmCalls = Counts("shm_calls"),
            Credentials = Credentials(),
        };
    }

    private StraceFormatException Error(PositionedJson value, string expected) =>
        PositionedJson.ErrorAt(_bytes, value.Offset, _name, expected);

    private PositionedJson? Member(string name, JsonTokenType kind, string expected)
    {
        if (!_root.Members.TryGetValue(name, out PositionedJson? value)
            || value.Kind == JsonTokenType.Null)
        {
            return null;
        }

        return value.Kind == kind ? value : throw Error(value, $"{expected} ({name})");
    }

    /// <summary>A text, or a number as text.</summary>
    private string? Text(string name)
    {
        if (!_root.Members.TryGetValue(name, out PositionedJson? value)
            || value.Kind == JsonTokenType.Null)
        {
            return null;
        }

        return value.Text ?? throw Error(value, $"a string ({name})");
    }

    private ulong? PageSize()
    {
        if (Text("page_size") is not string text)
        {
            return null;
        }

        bool isPower = ulong.TryParse(text, out ulong size) && ulong.PopCount(size) == 1;
        return isPower ? size : throw Error(_root.Members["page_size"], "a power of two");
    }

    private ImmutableDictionary<string, string> Settings(string name)
    {
        var settings = ImmutableDictionary.CreateBuilder<string, string>();
        foreach ((string key, PositionedJson value) in
            Member(name, JsonTokenType.StartObject, "an object")?.Members ?? [])
        {
            if (value.Kind != JsonTokenType.Null)
            {
                settings[key] = value.Text ?? throw Error(value, $"a string or number ({key})");
            }
        }

        return settings.ToImmutable();
    }

    /// <summary>Each member is a pair: before and after.</summary>
    private ImmutableDictionary<string, string> Changed()
    {
        const string name = "changed";
        var changed = ImmutableDictionary.CreateBuilder<string, string>();
        foreach ((string key, PositionedJson value) in
            Member(name, JsonTokenType.StartObject, "an object")?.Members ?? [])
        {
            PositionedJson last = value.Kind == JsonTokenType.StartArray && value.Items.Count > 0
                ? value.Items[^1] : value;
            changed[key] = last.Text ?? throw Error(value, $"a pair of values ({key})");
        }

        return changed.ToImmutable();
    }

    private ImmutableDictionary<string, int> Counts(string name)
    {
        var counts = ImmutableDictionary.CreateBuilder<string, int>();
        foreach ((string key, PositionedJson value) in
            Member(name, JsonTokenType.StartObject, "an object")?.Members ?? [])
        {
            counts[key] = int.TryParse(value.Text, out int count)
                ? count : throw Error(value, $"a number ({key})");
        }

        return counts.ToImmutable();
    }

    private SidecarCredentials? Credentials()
    {
        const string name = "credentials";
        PositionedJson? credentials = Member(name, JsonTokenType.StartObject, "an object");
        if (credentials is null)
        {
            return null;
        }

        ImmutableArray<int> groups = default;
        if (credentials.Members.TryGetValue("groups", out PositionedJson? list)
            && list.Kind == JsonTokenType.StartArray)
        {
            groups = [.. Numbers(list)];
        }

        return new SidecarCredentials(
            (int?)Number(credentials, "uid"), (int?)Number(credentials, "gid"), groups,
            unchecked((ulong?)Number(credentials, "capabilities")));
    }

    private List<int> Numbers(PositionedJson list)
    {
        var numbers = new List<int>();
        foreach (PositionedJson item in list.Items)
        {
            numbers.Add(int.TryParse(item.Text, out int number)
                ? number : throw Error(item, "a number"));
        }

        return numbers;
    }

    private long? Number(PositionedJson parent, string name)
    {
        if (!parent.Members.TryGetValue(name, out PositionedJson? value)
            || value.Kind == JsonTokenType.Null)
        {
            return null;
        }

        string text = value.Text ?? "";
        int length = NumberText.Literal(text, out ulong bits);
        return length > 0 && length == text.Length
            ? unchecked((long)bits) : throw Error(value, $"a number ({name})");
    }

    private ImmutableArray<SharedMemoryRow> Segments(string name)
    {
        PositionedJson? rows = Member(name, JsonTokenType.StartArray, "an array");
        if (rows is null)
        {
            return default;
        }

        string[] columns = ColumnNames();
        var segments = ImmutableArray.CreateBuilder<SharedMemoryRow>();
        foreach (PositionedJson row in rows.Items)
        {
            segments.Add(Segment(row, columns));
        }

        return segments.ToImmutable();
    }

    private string[] ColumnNames()
    {
        PositionedJson? header =
            Member("sysvipc_header", JsonTokenType.StartArray, "an array of names");
        return header is null || header.Items.Count == 0
            ? Columns.Split(' ') : [.. header.Items.Select(item => item.Text ?? "")];
    }

    private SharedMemoryRow Segment(PositionedJson row, string[] columns)
    {
        string[] words = (row.Text ?? throw Error(row, "a line of /proc/sysvipc/shm"))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var values = new Dictionary<string, ulong>();
        for (int i = 0; i < Math.Min(words.Length, columns.Length); i++)
        {
            bool isMode = columns[i] == "perms";
            int length = isMode ? NumberText.Octal(words[i], out ulong value)
                : NumberText.Literal(words[i], out value);
            values[columns[i]] = length == words[i].Length
                ? value : throw Error(row, $"a number in column {columns[i]}");
        }

        foreach (string needed in (ReadOnlySpan<string>)["key", "shmid", "perms", "size"])
        {
            if (!values.ContainsKey(needed))
            {
                throw Error(row, $"a line with the column {needed}");
            }
        }

        return Row(values);
    }

    private static ImmutableDictionary<string, ulong> NumbersOf(
        ImmutableDictionary<string, string> settings)
    {
        var numbers = ImmutableDictionary.CreateBuilder<string, ulong>();
        foreach ((string name, string text) in settings)
        {
            if (TryNumber(text.AsSpan().Trim(), out ulong value))
            {
                numbers[name] = value;
            }
        }

        return numbers.ToImmutable();
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out ulong value)
    {
        const ulong kib = 1024;
        int length = NumberText.Literal(text, out value);
        ReadOnlySpan<char> unit = text[length..].Trim();
        if (unit is not "kB" and not "KiB")
        {
            return length > 0 && unit.IsEmpty;
        }

        bool fits = length > 0 && value <= ulong.MaxValue / kib;
        value = fits ? value * kib : 0;
        return fits;
    }

    private static SharedMemoryRow Row(Dictionary<string, ulong> values)
    {
        return new SharedMemoryRow
        {
            Key = Int32("key"),
            Id = Int32("shmid"),
            Mode = Int32("perms"),
            Size = values["size"],
            CreatorPid = Int32("cpid"),
            LastPid = Int32("lpid"),
            Attaches = values.GetValueOrDefault("nattch"),
            Uid = Int32("uid"),
            Gid = Int32("gid"),
            Cuid = Int32("cuid"),
            Cgid = Int32("cgid"),
            AttachTime = unchecked((long)values.GetValueOrDefault("atime")),
            DetachTime = unchecked((long)values.GetValueOrDefault("dtime")),
            ChangeTime = unchecked((long)values.GetValueOrDefault("ctime")),
            Resident = values.TryGetValue("rss", out ulong rss) ? rss : null,
            Swapped = values.TryGetValue("swap", out ulong swap) ? swap : null,
        };

        int Int32(string column) => unchecked((int)values.GetValueOrDefault(column));
    }
}
