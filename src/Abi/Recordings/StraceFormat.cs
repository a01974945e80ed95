namespace ShmCheck.Abi.Recordings;

/// <summary>How a log names the task of a line.</summary>
public enum TaskIdStyle
{
    /// <summary>Not at all: one process, or all processes without <c>-f</c>.</summary>
    None,
    /// <summary>By a leading number (<c>-f -o</c>).</summary>
    Leading,
    /// <summary>By <c>[pid N]</c> while more than one task is traced (<c>-f</c> on standard
    /// error).</summary>
    Bracketed,
    /// <summary>By the file or the section that the line stands in (<c>-ff</c>).</summary>
    PerFile,
}

/// <summary>Kind of time stamps.</summary>
public enum StampKind
{
    /// <summary>None.</summary>
    None,
    /// <summary>Time of the day (<c>-t</c>, <c>-tt</c>).</summary>
    TimeOfDay,
    /// <summary>Seconds since 1970 (<c>-ttt</c>).</summary>
    Epoch,
    /// <summary>Since the line before (<c>-r</c>), and no other.</summary>
    Relative,
}

/// <summary>How constants are printed (<c>-X</c>).</summary>
public enum ConstantStyle
{
    /// <summary>Names (the usual style), or no constant was seen.</summary>
    Abbrev,
    /// <summary>Numbers.</summary>
    Raw,
    /// <summary>Numbers with names as comments.</summary>
    Verbose,
}

/// <summary>What a log looks like, and what in it is worth knowing before believing it.</summary>
public sealed record StraceFormat
{
    /// <summary>How lines name their task.</summary>
    public TaskIdStyle TaskIds { get; internal set; }

    /// <summary>Kind of time stamps.</summary>
    public StampKind Stamps { get; internal set; }

    /// <summary>Lines carry a relative stamp (<c>-r</c>), alone or beside another.</summary>
    public bool HasRelativeStamps { get; internal set; }

    /// <summary>Calls carry their duration (<c>-T</c>).</summary>
    public bool HasDurations { get; internal set; }

    /// <summary>Lines carry the instruction pointer (<c>-i</c>).</summary>
    public bool HasInstructionPointers { get; internal set; }

    /// <summary>Lines carry the number of the call (<c>-n</c>).</summary>
    public bool HasSyscallNumbers { get; internal set; }

    /// <summary>Process ids carry the name of the command (<c>-Y</c>).</summary>
    public bool HasCommandNames { get; internal set; }

    /// <summary>Descriptors carry their path (<c>-y</c>).</summary>
    public bool HasDescriptorPaths { get; internal set; }

    /// <summary>Style of constants.</summary>
    public ConstantStyle Constants { get; internal set; }

    /// <summary>Files or sections that were merged by time; 1 when there was nothing to merge.
    /// </summary>
    public int MergedSections { get; internal set; } = 1;

    /// <summary>Events of different sections with the same stamp: their order is a guess.
    /// </summary>
    public int StampTies { get; internal set; }

    /// <summary>The first of <see cref="StampTies"/>.</summary>
    public SourcePosition? FirstTie { get; internal set; }

    /// <summary>Several sections without comparable stamps: they follow each other in the order
    /// given, and the order of events between them is unknown.</summary>
    public bool OrderUnknown { get; internal set; }

    /// <summary>Lines that are nothing strace prints (output of the program).</summary>
    public int StrayLines { get; internal set; }

    /// <summary>The first of <see cref="StrayLines"/>.</summary>
    public SourcePosition? FirstStray { get; internal set; }

    /// <summary>Lines of stack traces (<c>-k</c>).</summary>
    public int StackTraceLines { get; internal set; }

    /// <summary>Lines of data dumps (<c>-e read=</c>, <c>-e write=</c>).</summary>
    public int DumpLines { get; internal set; }

    /// <summary>Lines of a summary behind the calls (<c>-C</c>).</summary>
    public int SummaryLines { get; internal set; }

    /// <summary>Messages of strace itself.</summary>
    public int Messages { get; internal set; }

    /// <summary>The file ends within a line: what that line says is not believed.</summary>
    public bool IsTruncated { get; internal set; }

    /// <summary>Calls with an unfinished and a resumed part.</summary>
    public int ResumedCalls { get; internal set; }

    /// <summary>Calls whose end is not shown.</summary>
    public int OpenCalls { get; internal set; }

    /// <summary>Calls whose beginning is not shown.</summary>
    public int CallsWithoutEntry { get; internal set; }

    /// <summary>Open calls whose task goes on with another call: lines are missing.</summary>
    public int BrokenPairs { get; internal set; }

    /// <summary>The first of <see cref="BrokenPairs"/>.</summary>
    public SourcePosition? FirstBrokenPair { get; internal set; }

    /// <summary>Calls whose result or arguments strace made up.</summary>
    public int TamperedCalls { get; internal set; }

    /// <summary>Calls that concern the model but could not be decoded.</summary>
    public int UndecodedCalls { get; internal set; }

    /// <summary>Ends of tasks are shown (<c>+++ exited</c>).</summary>
    public bool HasExitNotices { get; internal set; }

    /// <summary>Signals are shown.</summary>
    public bool HasSignals { get; internal set; }

    internal void CountStray(SourcePosition position)
    {
        StrayLines++;
        FirstStray ??= position;
    }
}
