using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using ShmCheck.Abi;
using ShmCheck.Faults.Patches;

namespace ShmCheck.Faults.Building;

/// <summary>Compiles the implementation with a fault in it, under the options that the build
/// uses, and with bounds for its loops and its stack.</summary>
public static class FaultyBuild
{
    /// <summary>What the SDK imports into every file of a project.</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions ParseOptions =
        CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);

    private static readonly Lazy<ImmutableDictionary<string, SyntaxTree>> Trees =
        new(() => FaultCatalogue.Sources.ToImmutableDictionary(
            s => s.Key, s => Parse(s.Value, s.Key)));

    private static readonly Lazy<CSharpCompilation> Sound = new(() => CSharpCompilation.Create(
        "ShmCheck.Impl.Faulty",
        [
            .. Trees.Value.Values,
            CSharpSyntaxTree.ParseText(ImplicitUsings, ParseOptions, "ImplicitUsings.cs"),
        ],
        References(),
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release,
            allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable,
            deterministic: true)));

    /// <summary>Compiles the implementation with some faults in it.</summary>
    /// <param name="faults">The faults; they are applied one after the other.</param>
    /// <returns>The assembly.</returns>
    /// <exception cref="FaultException">A fault does not apply, or what comes out does not
    /// compile.</exception>
    public static byte[] Compile(params ReadOnlySpan<Fault> faults)
    {
        ImmutableDictionary<string, string> sources = FaultCatalogue.Sources;
        CSharpCompilation compilation = Sound.Value;
        string names = "";
        foreach (Fault fault in faults)
        {
            sources = Patcher.Apply(sources, fault);
            names += $" {fault.Id}";
        }

        foreach ((string path, string text) in sources)
        {
            if (text != FaultCatalogue.Sources[path])
            {
                compilation = compilation.ReplaceSyntaxTree(Trees.Value[path], Parse(text, path));
            }
        }

        using var assembly = new MemoryStream();
        EmitResult result = compilation.Emit(assembly);
        if (!result.Success)
        {
            Diagnostic first =
                result.Diagnostics.First(d => d.Severity == DiagnosticSeverity.Error);
            throw new FaultException(names.Length == 0
                ? $"the implementation does not compile: {first}"
                : $"fault{names} does not compile: {first}");
        }

        return assembly.ToArray();
    }

    private static SyntaxTree Parse(string text, string path) =>
        CSharpSyntaxTree.ParseText(ExecutionBounds.Add(text, ParseOptions), ParseOptions, path);

    private static IEnumerable<MetadataReference> References()
    {
        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        return platform.Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal)
                || path.EndsWith(".Abi.dll", StringComparison.Ordinal))
            .Append(typeof(ISystemFactory).Assembly.Location)
            .Distinct()
            .Select(path => MetadataReference.CreateFromFile(path));
    }
}
