using System.Text;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>A log of strace: what it looks like, and what happened in it, in order.</summary>
/// <remarks>
/// Reads what strace prints with whatever options, as a file (<c>-o</c>), on standard error among
/// the output of the program, or as one file for each task (<c>-ff</c>). Lines that strace did not
/// print are counted and left out. Rejected is only what cannot be followed: logs filtered by
/// result (<c>-z</c>), summaries (<c>-c</c>), and what is no log at all.
/// </remarks>
public sealed class StraceLog : IRecording
{
    private StraceLog(
        IReadOnlyList<string> files, StraceFormat format, CallAssembler assembler,
        StraceSidecar? sidecar)
    {
        Files = files;
        Format = format;
        Events = assembler.Events;
        Calls = assembler.Calls;
        Sidecar = sidecar;
        Traced = new TracedSyscalls(
            sidecar?.Strace, assembler.Calls.Select(call => call.Name).Distinct());
    }

    /// <summary>Names of the files, as given.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>What the log looks like.</summary>
    public StraceFormat Format { get; }

    /// <summary>What happened, in the order of the log; of several files merged by time.
    /// </summary>
    public IReadOnlyList<StraceEvent> Events { get; }

    /// <summary>The calls, in the order of their entry.</summary>
    public IReadOnlyList<StraceCall> Calls { get; }

    /// <summary>What stands beside the log, if anything does.</summary>
    public StraceSidecar? Sidecar { get; }

    /// <summary>Which calls the log would show.</summary>
    public ITracedSyscalls Traced { get; }

    /// <summary>Reads a log, and the sidecar beside it if there is one.</summary>
    /// <exception cref="StraceFormatException">It is no log that can be followed.</exception>
    public static StraceLog Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string? sidecar = SidecarFile.PathFor(path);
        return Load([path], sidecar is null ? null : SidecarFile.Load(sidecar));
    }

    /// <summary>Reads the files of one run (<c>-ff</c>) and joins them by time. The id of a task
    /// is the end of the name of its file: <c>log.1234</c>.</summary>
    /// <exception cref="StraceFormatException">They are no log that can be followed.</exception>
    public static StraceLog Load(IReadOnlyList<string> paths, StraceSidecar? sidecar)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return Read(
            [.. paths.Select(path => new LogText(path, Decode(File.ReadAllBytes(path))))], sidecar);
    }

    /// <summary>Reads a log.</summary>
    /// <param name="reader">Its text.</param>
    /// <param name="name">Name for positions.</param>
    /// <param name="sidecar">What is known beside it.</param>
    /// <exception cref="StraceFormatException">It is no log that can be followed.</exception>
    public static StraceLog Read(TextReader reader, string name, StraceSidecar? sidecar = null)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return Read([new LogText(name, reader.ReadToEnd())], sidecar);
    }

    private static StraceLog Read(List<LogText> texts, StraceSidecar? sidecar)
    {
        var refusals = new LogRefusals(texts, sidecar);
        refusals.CheckTexts();
        var format = new StraceFormat();
        var sections = new List<List<LogLine>>();
        foreach (LogSection section in texts.SelectMany(LogSection.Split))
        {
            var reader = new SectionReader(section, format);
            List<LogLine> lines = reader.Read();
            if (reader.Style == TaskIdStyle.Bracketed)
            {
                TaskResolver.Resolve(lines);
            }

            if (reader.Style == TaskIdStyle.None && section.Task is not null)
            {
                format.TaskIds = TaskIdStyle.PerFile;
            }

            refusals.Note(reader);
            sections.Add(lines);
        }

        var assembler = new CallAssembler(format);
        assembler.Assemble(SectionMerger.Merge(sections, format));
        refusals.CheckEvents(assembler, format);
        Finish(assembler, format);
        return new StraceLog([.. texts.Select(text => text.Name)], format, assembler, sidecar);
    }

    private static void Finish(CallAssembler assembler, StraceFormat format)
    {
        foreach (StraceCall call in assembler.Calls)
        {
            call.Arguments = CallDecoder.Decode(call);
            format.UndecodedCalls += call.Arguments is UndecodedArguments ? 1 : 0;
            format.HasDescriptorPaths = format.HasDescriptorPaths
                || call.ArgumentText.Contains("</", StringComparison.Ordinal);
        }

        format.Constants = StyleOf(assembler.Calls);
        WordSizeTracker.Track(assembler.Events, assembler.Calls);
    }

    /// <summary>Told by the protection of the first mapping: every program makes some.</summary>
    private static ConstantStyle StyleOf(List<StraceCall> calls)
    {
        StraceCall? map = calls.Find(call =>
            call.Arguments is MMapArguments { Protection.Bits: not 0 });
        if (map is null || map.ArgumentText.Contains(", PROT_", StringComparison.Ordinal))
        {
            return ConstantStyle.Abbrev;
        }

        return map.ArgumentText.Contains("/* PROT_", StringComparison.Ordinal)
            ? ConstantStyle.Verbose : ConstantStyle.Raw;
    }

    /// <summary>strace prints ASCII; what a program prints among it may be anything.</summary>
    private static string Decode(byte[] bytes)
    {
        ReadOnlySpan<byte> little = [0xff, 0xfe];
        ReadOnlySpan<byte> big = [0xfe, 0xff];
        ReadOnlySpan<byte> utf8 = [0xef, 0xbb, 0xbf];
        ReadOnlySpan<byte> text = bytes;
        if (text.StartsWith(little))
        {
            return Encoding.Unicode.GetString(text[little.Length..]);
        }

        if (text.StartsWith(big))
        {
            return Encoding.BigEndianUnicode.GetString(text[big.Length..]);
        }

        text = text.StartsWith(utf8) ? text[utf8.Length..] : text;
        return System.Text.Unicode.Utf8.IsValid(text)
            ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text);
    }
}
