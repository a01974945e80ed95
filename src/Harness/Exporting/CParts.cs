using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>What exported programs have beside their list of calls: no more than that list needs.
/// </summary>
internal static partial class CParts
{
    /// <summary>Columns that a line keeps within, and those of a tab.</summary>
    private const int MostColumns = 100;
    private const int TabColumns = 8;
    private const string Continuation = "\n\t     ";

    /// <summary>Headers, and the names that each is needed for.</summary>
    private static readonly ImmutableArray<(string Header, string[] Names)> Headers =
    [
        ("errno.h", [""]), ("linux/capability.h", ["capabilities("]), ("sched.h", [""]),
        ("setjmp.h", ["touch("]), ("signal.h", [""]), ("stdio.h", [""]),
        ("stdlib.h", ["again(", "getenv("]), ("string.h", [""]), ("sys/mman.h", [""]),
        ("sys/prctl.h", ["prctl("]), ("sys/resource.h", ["limit(", "setrlimit("]),
        ("sys/shm.h", [""]), ("sys/syscall.h", ["syscall("]), ("sys/utsname.h", ["release("]),
        ("sys/wait.h", ["waitpid("]), ("unistd.h", [""]),
    ];

    /// <summary>Functions for calls, figures and needs, each with its name. One comes behind those
    /// that it needs itself.</summary>
    private static readonly ImmutableArray<CPart> Functions =
    [
        new("MISSING", """
            enum { MISSING = -999 };  // a figure that is not there
            """),
        new("touch(", """
            static sigjmp_buf out; static void raised(int signal) { siglongjmp(out, signal); }
            static long touch(long at, int byte) {  // stores a byte, or loads one if it is negative
            	int signal = sigsetjmp(out, 1); if (signal == 0 && byte >= 0) *(volatile char *)at = byte;
            	return signal ? RAISED(signal) : byte < 0 ? *(volatile unsigned char *)at : 0;
            }
            """),
        new("capabilities(", """
            static long capabilities(unsigned effective, unsigned permitted) {  // only those known here
            	unsigned known = 1 << 24 | 1 << 21 | 1 << 17 | 1 << 15 | 1 << 14 | 1 << 7 | 1 << 6;
            	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
            	struct __user_cap_data_struct d[2]; syscall(SYS_capget, &head, d);
            	d[0].permitted &= ~known, d[0].effective = d[0].permitted | effective;
            	return d[0].permitted |= permitted, syscall(SYS_capset, &head, d);
            }
            """),
        new("text(", """
            #define text(...) ({ char *t; asprintf(&t, __VA_ARGS__) < 0 ? "" : t; })
            """),
        new("number(", """
            static long number(const char *path, const char *after, const char *format) {
            	char line[512]; long value = MISSING, seen = 0; FILE *in = fopen(path, "r");
            	while (in && value == MISSING && fgets(line, sizeof line, in))
            		if (seen |= strncmp(line, after, strlen(after)) == 0) sscanf(line, format, &value);
            	return in ? fclose(in), value : value;
            }
            """),
        new("put(", """
            #define put(path, format, value) ({ FILE *f = fopen(path, "w"); \
            	f && fprintf(f, format, value) > 0 && fclose(f) == 0 ? 0 : -1; })
            """),
        new("near(", """
            #define near(want, got) ({ long seen = got;  /* others have committed memory too */ \
            	seen / 16 == want / 16 ? want : seen; })
            """),
        new("add_up(", """
            #define add_up() put("/proc/sys/vm/stat_refresh", "%ld", 1L)  // each processor counts apart
            """),
        new("line_of(", """
            #define COLUMNS " %%*s %%*s %%*s %%*s %%*s %%*s %%*s %%*s %%*s %%*s %%*s %%*s"
            #define line_of(id, end) text(" %%*d %ld%%*1[ ]" COLUMNS end, id)  // in /proc/sysvipc/shm
            """),
        new("limit(", """
            #define limit(soft) ({ struct rlimit l; getrlimit(RLIMIT_MEMLOCK, &l); l.rlim_cur = soft; \
            	if (l.rlim_max < l.rlim_cur) l.rlim_max = l.rlim_cur; setrlimit(RLIMIT_MEMLOCK, &l); })
            """),
        new("rights(", """
            static long rights(const char *path, long start) {  // PROT_ bits of the mapping there
            	char line[512], r[5] = ""; unsigned long from = 0, found = 0; FILE *in = fopen(path, "r");
            	while (in && !found && fgets(line, sizeof line, in))
            		found = sscanf(line, "%lx-%*x %4s", &from, r) == 2 && from == (unsigned long)start;
            	if (in) fclose(in);
            	return found ? (r[0] == 'r') + (r[1] == 'w') * 2 + (r[2] == 'x') * 4 : MISSING;
            }
            """),
        new("segment(", """
            #define segment(id) ({ struct shmid_ds d = { 0 }; shmctl(id, IPC_STAT, &d); d; })
            """),
        new("info(", """
            #define info() ({ struct shm_info i = { 0 }; shmctl(0, SHM_INFO, (void *)&i); i; })
            """),
        new("release(", """
            #define release() ({ struct utsname u; int major = 0, minor = 0; uname(&u); \
            	sscanf(u.release, "%d.%d", &major, &minor); major * 1000 + minor; })
            """),
        new("need(", """
            #define need(met, what) if (!(met)) m->unfit = 1, puts("skipped: " what)
            """),
    ];

    /// <summary>Members of the state for structures that calls fill, and their names.</summary>
    private static readonly ImmutableArray<(string Member, string Name)> Structures =
    [
        ("struct shmid_ds ds;", "m->ds"), ("struct shm_info info;", "m->info"),
        ("struct shminfo limits;", "m->limits"),
    ];

    /// <summary>Everything before the list of calls.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="state">The declaration of what the program keeps.</param>
    /// <param name="parts">Parts of its own kind.</param>
    /// <param name="rest">The list of calls, and what is behind it.</param>
    public static string Head(
        MachineConfig machine, Func<string, string> state, ImmutableArray<CPart> parts, string rest)
    {
        string program = rest;
        foreach (CPart part in Functions.Concat(parts).Reverse())
        {
            program = Uses(program, part.Name) ? $"{part.Text}\n{program}" : program;
        }

        string used = program[..^rest.Length];
        string headers = string.Concat(Headers.Where(h => h.Names.Any(n => Uses(program, n)))
            .Select(h => $"#include <{h.Header}>\n"));
        return $$"""
            // {{MachineText.Print(machine)}}
            // Exit 0: the kernel conforms; 1: it diverges; 77: it cannot be asked. Run it as root.
            #define _GNU_SOURCE
            {{headers}}
            #define SUCCESS (1L << 40)
            #define RAISED(signal) (-1000L - (signal))
            {{state(program)}}

            {{used}}
            """;
    }

    /// <summary>The arrays and structures that handles and replies are kept in.</summary>
    public static string Arrays(string program, int processes) =>
        $"long s[{Size(program, 's')}], a[{Size(program, 'a')}], p[{processes + 1}];"
        + string.Concat(Structures.Where(m => Uses(program, m.Name)).Select(m => $" {m.Member}"));

    /// <summary>A statement within a function. One that is too long for a line goes on behind
    /// the text that it begins with.</summary>
    /// <param name="name">What is called.</param>
    /// <param name="first">Its first argument.</param>
    /// <param name="others">The other ones.</param>
    public static string Statement(string name, string first, string others)
    {
        string line = $"{name}({first}, {others});";
        if (TabColumns + line.Length <= MostColumns)
        {
            return $"\t{line}\n";
        }

        var text = new StringBuilder($"\t{name}({Broken(first, name.Length)},");
        int column = MostColumns;
        foreach (Match piece in Piece().Matches($"{others});"))
        {
            if (column + piece.Value.TrimEnd().Length > MostColumns)
            {
                text.Append(Continuation);
                column = TabColumns + Continuation.Length - "\n\t".Length;
            }

            text.Append(piece.Value);
            column += piece.Length;
        }

        return text.Replace(" \n", "\n").Append('\n').ToString();
    }

    /// <summary>A condition that is too long for the line of a name goes on behind its operator.
    /// </summary>
    private static string Broken(string condition, int nameLength)
    {
        if (condition[0] == '"' || TabColumns + nameLength + condition.Length < MostColumns)
        {
            return condition;
        }

        string operation = condition.Contains(" || ", StringComparison.Ordinal) ? " || " : " == ";
        int end = condition.IndexOf(operation, StringComparison.Ordinal) + operation.Length;
        return end < operation.Length ? condition
            : condition[..end].TrimEnd() + Continuation + condition[end..];
    }

    /// <summary>Whether a program uses a name.</summary>
    public static bool Uses(string program, string name) =>
        name.Length == 0 || Regex.IsMatch(program, $@"(?<![\w]){Regex.Escape(name)}");

    /// <summary>Length of an array of the state, whose first element is not used.</summary>
    private static int Size(string program, char array) => Index().Matches(program)
        .Where(match => match.Groups[1].Value[0] == array)
        .Select(match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))
        .Append(1).Max() + 1;

    /// <summary>A line may end behind a comma or a bar that is no part of a text.</summary>
    [GeneratedRegex("""(?:"(?:[^"\\]|\\.)*"|[^",|]|,(?! ))+(?:, |\|+ ?|$)""")]
    private static partial Regex Piece();

    [GeneratedRegex(@"m->([sap])\[(\d+)\]")]
    private static partial Regex Index();
}

/// <summary>A part of a program.</summary>
/// <param name="Name">What it defines that calls for it; empty if all programs have it.</param>
/// <param name="Text">The part, in C.</param>
internal sealed record CPart(string Name, string Text);
