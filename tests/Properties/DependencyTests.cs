using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties;

/// <summary>The directions in which the product's assemblies depend on each other. Impl and Spec
/// stay apart: who is judged must not share a mistake with the judge.</summary>
public sealed class DependencyTests
{
    private const string Cli = "shmcheck";

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["ShmCheck.Abi"] = [],
        ["ShmCheck.Spec"] = ["ShmCheck.Abi"],
        ["ShmCheck.Impl"] = ["ShmCheck.Abi"],
        ["ShmCheck.Harness"] = ["ShmCheck.Abi", "ShmCheck.Spec"],
        ["ShmCheck.Faults"] = ["ShmCheck.Abi", "ShmCheck.Harness"],
        ["ShmCheck.Systems"] = ["ShmCheck.Abi"],
        [Cli] =
        [
            "ShmCheck.Abi", "ShmCheck.Spec", "ShmCheck.Impl", "ShmCheck.Harness",
            "ShmCheck.Faults", "ShmCheck.Systems",
        ],
    };

    private static readonly string Sources = Path.Combine(Repository.Root, "src");

    public static TheoryData<string> Projects =>
        [.. Directory.EnumerateDirectories(Sources).SelectMany(ProjectsIn)];

    public static TheoryData<string> Assemblies => [.. Built];

    // Those that these tests use: only they are beside them.
    private static IEnumerable<string> Built =>
        Allowed.Keys.Where(name => File.Exists(AssemblyPath(name)));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_to_those_it_may_depend_on(string project)
    {
        XDocument document = XDocument.Load(Path.Combine(Sources, project));
        string name = AssemblyName(project);
        Assert.True(Allowed.ContainsKey(name), $"{name} has no place among the dependencies.");
        IEnumerable<string> references =
            from item in document.Descendants("ProjectReference")
            select AssemblyName((string)item.Attribute("Include")!);
        Assert.Empty(references.Except(Allowed[name]));
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void An_assembly_refers_only_to_those_it_may_depend_on(string name) =>
        Assert.Empty(ProductReferences(AssemblyPath(name)).Except(Allowed[name]));

    [Theory]
    [InlineData("Abi/ShmCheck.Abi.csproj")]
    [InlineData("Spec/ShmCheck.Spec.csproj")]
    [InlineData("Impl/ShmCheck.Impl.csproj")]
    public void What_is_a_library_in_its_own_right_needs_no_package(string project)
    {
        XDocument document = XDocument.Load(Path.Combine(Sources, project));
        Assert.Empty(document.Descendants("PackageReference"));
    }

    [Fact]
    public void The_assemblies_of_the_product_are_there_to_be_read()
    {
        Assert.Superset(
            new HashSet<string>(
            [
                "ShmCheck.Abi", "ShmCheck.Spec", "ShmCheck.Impl", "ShmCheck.Harness",
                "ShmCheck.Systems",
            ]),
            Built.ToHashSet());
        Assert.Contains(
            "ShmCheck.LiveTests", ProductReferences(typeof(DependencyTests).Assembly.Location));
    }

    private static IEnumerable<string> ProjectsIn(string directory) =>
        Directory.EnumerateFiles(directory, "*.csproj")
            .Select(file => Path.GetRelativePath(Sources, file));

    // The command is named after the tool, and its project after the others.
    private static string AssemblyName(string project)
    {
        string name = Path.GetFileNameWithoutExtension(project);
        return name == "ShmCheck.Cli" ? Cli : name;
    }

    private static string AssemblyPath(string name) =>
        Path.Combine(AppContext.BaseDirectory, $"{name}.dll");

    private static List<string> ProductReferences(string path)
    {
        using PEReader image = new(File.OpenRead(path));
        MetadataReader metadata = image.GetMetadataReader();
        return
        [
            .. metadata.AssemblyReferences
                .Select(handle => metadata.GetAssemblyReference(handle).Name)
                .Select(name => metadata.GetString(name))
                .Where(name => name == Cli
                    || name.StartsWith("ShmCheck.", StringComparison.Ordinal)),
        ];
    }
}
